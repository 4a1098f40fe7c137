# SPDX-License-Identifier: GPL-3.0-or-later
"""A private OpenLDAP server, empty, whose log has each operation and its result."""
import re
from collections import Counter

from rig.proc import wait_for
from rig.servers import Server

CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {dir}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
{extra}
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw secret
directory {dir}/db
dbnosync
maxsize 100000000
"""
TAGS = {"97": "bind", "101": "search", "103": "modify", "105": "add", "107": "delete", "109": "modifyDN", "111": "compare",
        "120": "extended"}


class Slapd(Server):
    def __init__(self, extra=""):
        super().__init__()
        self.extra = extra

    def prepare(self):
        (self.dir / "db").mkdir()
        (self.dir / "conf").write_text(CONF.format(dir=self.dir, extra=self.extra))

    def command(self):
        return ["/usr/sbin/slapd", "-d", "stats", "-h", f"ldap://127.0.0.1:{self.port}", "-f", self.dir / "conf"]

    def log(self):
        return (self.dir / "out.log").read_text(errors="replace")

    def mark(self):
        wait_for("the first look to be over", lambda: "closed" in self.log())
        self.before = len(self.log())

    def account(self, closed):
        """{"search 0 3": times}: operation, code, entries; once so many connections are closed."""
        wait_for("the connections to be closed", lambda: self.log()[self.before:].count(" closed") >= closed)
        log = self.log()[self.before:]
        out = Counter("unbind" for _ in re.findall(r" UNBIND$", log, re.M))
        for tag, code, rest in re.findall(r" (?:SEARCH )?RESULT (?:tag|oid)=(\S*) err=(\d+)(.*)", log):
            op = TAGS.get(tag, "extended")
            entries = re.search(r"nentries=(\d+)", rest)
            out[f"{op} {code}" + (f" {entries[1]}" if entries else "")] += 1
        out["abandon"] = len(re.findall(r" ABANDON msg=", log))
        return out
