# SPDX-License-Identifier: GPL-3.0-or-later
"""A private Postfix that throws away what it accepts; it counts the commands of each session."""
import pathlib
import pwd
import re
import shutil
from collections import Counter

from rig.proc import wait_for
from rig.servers import Server

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
myhostname = mx.example.org
mydestination = example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_transport = discard
local_recipient_maps = inline:{{ ann=x, bob=x, later=x }}
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{later@example.org = 450 4.2.1 later}} }}, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
smtpd_reject_unlisted_sender = no
smtpd_peername_lookup = no
{extra}
"""

MASTER = """
127.0.0.1:{port} inet n - n - 20 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
retry unix - - n - - error
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Server):
    def __init__(self, extra=""):
        super().__init__()
        self.extra = extra

    def prepare(self):
        user = pwd.getpwnam("postfix")
        conf = self.dir / "conf"
        for name in "conf", "queue", "data":
            (self.dir / name).mkdir()
        shutil.chown(self.dir / "data", user.pw_uid, user.pw_gid)
        (conf / "main.cf").write_text(MAIN.format(dir=self.dir, extra=self.extra))
        (conf / "master.cf").write_text(MASTER.format(port=self.port))
        for name in "postfix-files", "dynamicmaps.cf":
            if pathlib.Path("/etc/postfix", name).exists():
                shutil.copy(f"/etc/postfix/{name}", conf)

    def command(self):
        return ["/usr/sbin/postfix", "-c", self.dir / "conf", "start-fg"]

    def log(self):
        path = self.dir / "mail.log"
        return path.read_text() if path.exists() else ""

    def mark(self):
        wait_for("the session of the first look to end", lambda: self.ended() > 0)
        self.before = self.log()

    def ended(self):
        return len(re.findall(r"disconnect from", self.log()))

    def account(self, sessions):
        """Commands of so many sessions since mark(), {name: (accepted, all)}, once they are all written down."""
        was = len(re.findall(r"disconnect from", self.before))
        wait_for("the end of the sessions", lambda: self.ended() - was >= sessions)
        good, all_of = Counter(), Counter()
        for line in self.log()[len(self.before):].splitlines():
            if "disconnect from" not in line:
                continue
            for name, ok, total in re.findall(r" (\w+)=(\d+)(?:/(\d+))?", line):
                good[name] += int(ok)
                all_of[name] += int(total or ok)
        return good, all_of
