# SPDX-License-Identifier: GPL-3.0-or-later
"""pySQLbridge: speaks TDS as SQL Server does, over tables in files; read-only but for temporary tables."""
import json
import os
import pathlib

from rig.servers import Server


class Sqlbridge(Server):
    def prepare(self):
        (self.dir / "songs.csv").write_text("id,name\n" + "".join(f"{i},song {i}\n" for i in range(400)))
        (self.dir / "conf").write_text(json.dumps({
            "database": "shop", "tables": [{"name": "songs", "csv": str(self.dir / "songs.csv")}],
            "logins": [{"user": "alice", "password": "Secret_word_1"}]}))

    def command(self):
        return [os.environ["CLIENTS"], "-m", "pysqlbridge", "--port", str(self.port),
                "--config", str(self.dir / "conf"), "--log", str(self.dir / "log")]

    def log(self):
        return pathlib.Path(self.dir / "log").read_text(errors="replace")

    def mark(self):
        """What is asked from here on is told by asked()."""
        self.seen = len(self.log())

    def asked(self):
        """The statements that the server has run, as it logs them, in order."""
        return [line.split(" query: ", 1)[1] for line in self.log()[self.seen:].splitlines() if " query: " in line]
