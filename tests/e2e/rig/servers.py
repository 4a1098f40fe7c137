# SPDX-License-Identifier: GPL-3.0-or-later
"""Private servers on loopback ports, with their data in a folder of their own."""
import contextlib
import csv
import ctypes
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter

from rig.proc import Held, at_rest, end, family, free_port, listens, wait_for

LIBC = ctypes.CDLL(None)
PG_BIN = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def die_with_parent():
    """In the child: SIGKILL when the parent is gone, however it went (PR_SET_PDEATHSIG)."""
    LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)


class Server:
    """A server in a folder that its user can enter; `with` stops it for sure."""

    user = None

    def __init__(self, env=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"obi-{type(self).__name__.lower()}."))
        self.dir.chmod(0o755)
        self.port = free_port()
        self.env = {**os.environ, **(env or {})}
        self.process = None

    def start(self):
        self.prepare()
        self.spawn(self.command())
        self.wait_ready()
        self.mark()

    def prepare(self):
        """Puts configuration and data into its folder."""

    def wait_ready(self):
        self.wait_listen()

    def __enter__(self):
        try:
            self.start()
            return self
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def spawn(self, argv, **kw):
        log = open(self.dir / "out.log", "ab")
        user = pwd.getpwnam(self.user) if self.user else None
        ids = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=log, env=self.env, cwd=self.dir,
                                        start_new_session=True, preexec_fn=die_with_parent, **ids, **kw)
        log.close()

    def wait_listen(self):
        def ready():
            if self.process.poll() is not None:
                raise RuntimeError((self.dir / "out.log").read_text(errors="replace")[-2000:])
            return listens(self.port)
        wait_for(f"{type(self).__name__} to listen", ready)

    def stop(self):
        if self.process:
            rest = Held(family(self.process.pid))
            end(self.process)
            rest.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    @property
    def pids(self):
        """All its processes, for `-p`."""
        return family(self.process.pid)


NGINX_CONF = """
daemon off;
pid {dir}/pid;
worker_processes {workers};
user root;
error_log {dir}/error.log warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
    log_format account escape=none
        '$server_port\\t$remote_port\\t$request_method\\t$request_uri\\t$status\\t$bytes_sent\\t$request_time';
    access_log {dir}/access.log account buffer=64k flush=1s;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f;
    uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
    keepalive_requests 1000000; keepalive_timeout 300s;
    client_max_body_size 0;
    default_type text/plain; if_modified_since before; log_not_found off;
    gzip_http_version 1.0; gzip_types text/plain; gzip_proxied any;
    upstream back {{ server 127.0.0.1:{back}; keepalive 16; }}
    {upstreams}
    server {{
        listen 127.0.0.1:{port} backlog=4096 {listen};
        root {dir}/www;
        location = /small {{ return 200 "small\\n"; }}
        location = /none {{ return 204; }}
        location = /fail {{ return 500 "failed\n"; }}
        location = /post {{ client_body_buffer_size 1m; proxy_pass http://back; proxy_http_version 1.1;
            proxy_set_header Connection ""; }}
        location = /proxy {{ proxy_pass http://back; proxy_http_version 1.1;
            proxy_set_header Connection ""; }}
        location /file/ {{ sendfile on; alias {dir}/www/; }}
        location /gzip/ {{ gzip on; alias {dir}/www/; }}
        location / {{ sendfile off; }}
        {extra}
    }}
    server {{
        listen 127.0.0.1:{back};
        location / {{ return 200 "back\\n"; }}
    }}
}}
"""


class Nginx(Server):
    """Two servers in one: `port` for clients, `back` for what is proxied to itself."""

    def __init__(self, env=None, workers=2, extra="", listen="", upstreams=""):
        super().__init__(env)
        self.back, self.workers, self.extra, self.listen = free_port(), workers, extra, listen
        self.parts = []  # of the access log
        self.upstreams = upstreams

    def prepare(self):
        www = self.dir / "www"
        www.mkdir()
        (www / "one").write_bytes(b"1" * 1000)
        (www / "big").write_bytes(os.urandom(1000) * 100)
        (www / "huge").write_bytes(os.urandom(1 << 16) * 170)
        (www / "text").write_bytes(b"".join(b"line %d of a text that shrinks\n" % i for i in range(300)))
        (self.dir / "conf").write_text(NGINX_CONF.format(
            dir=self.dir, port=self.port, back=self.back, workers=self.workers, extra=self.extra,
            listen=self.listen, upstreams=self.upstreams))

    def command(self):
        return ["/usr/sbin/nginx", "-p", self.dir, "-c", self.dir / "conf", "-e", self.dir / "error.log"]

    def wait_ready(self):
        self.wait_listen()
        wait_for("the workers", lambda: len(self.pids) > self.workers)

    def mark(self):
        """From here on access() counts anew."""
        self.rotate()
        self.parts = []

    def rotate(self):
        """A new log; the old one, complete: each worker writes what it holds, then opens the new one."""
        log, old = self.dir / "access.log", self.dir / f"access.log.{len(self.parts)}"
        wait_for("nginx to be at rest", lambda: at_rest([self.pid]))
        log.rename(old)
        os.kill(self.pid, signal.SIGUSR1)
        wait_for("nginx to open its new log", lambda: log.exists() and all(
            self.has_open(pid, log) and not self.has_open(pid, old) for pid in self.pids))
        return old

    @staticmethod
    def has_open(pid, path):
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(fd) == str(path):
                    return True
        return False

    def access(self):
        """Rows of its access log: server port, client port, method, target, status, bytes, time."""
        self.parts.append(self.rotate())
        for part in self.parts:
            yield from self.parse(part)

    @staticmethod
    def parse(path):
        with open(path) as f:
            for line in f:
                p = line.rstrip("\n").split("\t")
                yield (int(p[0]), int(p[1]), p[2], p[3], p[4], int(p[5]), float(p[6]))


class Postgres(Server):
    """PostgreSQL with csvlog of every statement and pg_stat_statements."""

    user = "postgres"
    marks = 0

    @property
    def pids(self):
        """Its children come along; to name them would name some that are about to end."""
        return [self.pid]

    def prepare(self):
        data = self.dir / "data"
        user = pwd.getpwnam(self.user)
        os.chown(self.dir, user.pw_uid, user.pw_gid)
        subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", PG_BIN / "initdb",
                        "-D", data, "-A", "trust", "-N", "--no-locale", "-E", "UTF8"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.dir)
        with open(data / "postgresql.conf", "a") as f:
            f.write(f"""
port = {self.port}
listen_addresses = '127.0.0.1'
unix_socket_directories = '{self.dir}'
max_connections = 200
fsync = off
autovacuum = off
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = 'top'
log_destination = 'csvlog'
logging_collector = on
log_directory = '{self.dir}/log'
log_filename = 'pg.log'
log_rotation_age = 0
log_rotation_size = 0
log_min_duration_statement = 0
log_min_messages = warning
log_min_error_statement = error
""")

    def command(self):
        return [PG_BIN / "postgres", "-D", self.dir / "data"]

    def wait_ready(self):
        self.wait_listen()
        wait_for("PostgreSQL", lambda: subprocess.run(
            [PG_BIN / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode == 0)
        self.sql("CREATE EXTENSION pg_stat_statements")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        super().stop()

    def psql(self, *more):
        return ["psql", "-X", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres",
                *more]

    def sql(self, text):
        """Runs text, over the Unix socket, from outside what is traced by port."""
        out = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\x1f", "-h", self.dir, "-p", str(self.port), "-U",
                              "postgres", "-c", text], check=True, capture_output=True, text=True)
        return [line.split("\x1f") for line in out.stdout.splitlines()]

    def mark(self):
        """From here on statements() and calls() count anew."""
        self.sql("SELECT pg_stat_statements_reset()")
        self.flush()
        self.skip = self.log().stat().st_size

    def log(self):
        return self.dir / "log" / "pg.csv"

    def flush(self):
        """Waits until the collector has written all that was logged: the last thing is a mark."""
        self.marks += 1
        mark = f"mark {self.marks} of the log"
        self.sql(f"SELECT '{mark}'")
        wait_for("PostgreSQL's log", lambda: mark in self.log().read_text(errors="replace"))

    STATEMENT = re.compile(r"duration: [\d.]+ ms  (?:statement|execute [^:]*): (.*)", re.S)

    def statements(self):
        """What csvlog says: (backend pid, text, SQLSTATE or '00000') of each TCP client's statement."""
        wait_for("PostgreSQL to be at rest", lambda: at_rest([self.pid]))
        self.flush()
        return self.parse(self.log(), self.skip)

    @classmethod
    def parse(cls, path, skip=0):
        csv.field_size_limit(1 << 30)
        with open(path, newline="") as f:
            f.seek(skip)
            for r in csv.reader(f):
                if r[4].startswith("[local]") or not r[4]:
                    continue
                if r[11] in ("ERROR", "FATAL"):
                    yield int(r[3]), r[19], r[12]
                elif r[11] == "LOG":
                    m = cls.STATEMENT.match(r[13])
                    if m:
                        yield int(r[3]), m[1], "00000"

    def calls(self):
        """pg_stat_statements: statement text with $n for constants, to its calls."""
        return {q: int(n) for n, q in self.sql(
            "SELECT sum(calls), replace(query, E'\\n', ' ') FROM pg_stat_statements GROUP BY 2")}


class MariaDB(Server):
    """MariaDB with its general log and performance_schema."""

    user = "mysql"

    def prepare(self):
        user = pwd.getpwnam(self.user)
        os.chown(self.dir, user.pw_uid, user.pw_gid)
        subprocess.run(["mariadb-install-db", "--no-defaults", "--user=mysql", f"--datadir={self.dir}/data",
                        "--auth-root-authentication-method=normal", "--skip-test-db"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def command(self):
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.dir}/data", f"--port={self.port}",
                "--bind-address=127.0.0.1", f"--socket={self.dir}/s.sock", f"--pid-file={self.dir}/pid",
                "--general-log", f"--general-log-file={self.dir}/general.log", "--performance-schema=ON",
                "--skip-name-resolve", "--max-allowed-packet=64M", "--innodb-flush-log-at-trx-commit=0",
                "--local-infile=1", "--skip-log-bin", "--performance-schema-digests-size=2000"]

    def wait_ready(self):
        self.wait_listen()
        self.sql("CREATE DATABASE IF NOT EXISTS test")

    def sql(self, text):
        out = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.dir}/s.sock", "-uroot", "-N", "-B",
                              "-e", text], check=True, capture_output=True, text=True)
        return [line.split("\t") for line in out.stdout.splitlines()]

    def mark(self):
        """From here on log() and calls() count anew."""
        self.sql("TRUNCATE performance_schema.events_statements_summary_global_by_event_name")
        self.skip = (self.dir / "general.log").stat().st_size

    LINE = re.compile(r"^(?:\d{6} +[\d:]+)?\t+ *(\d+) ([A-Z][A-Za-z]+(?: [A-Za-z]+)?)(?:\t(.*))?$")

    def log(self):
        """General log: (connection, command, text); its own `sql` calls come by the socket, as Quit shows."""
        wait_for("MariaDB to be at rest", lambda: at_rest([self.pid]))
        return self.parse(self.dir / "general.log", self.skip)

    @classmethod
    def parse(cls, path, skip=0):
        local, rows = set(), []
        with open(path, errors="replace") as f:
            f.seek(skip)
            for line in f:
                m = cls.LINE.match(line.rstrip("\n"))
                if m:
                    rows.append([int(m[1]), m[2], m[3] or ""])
                    if m[2] == "Connect" and "using Socket" in line:
                        local.add(int(m[1]))
                elif rows:
                    rows[-1][2] += "\n" + line.rstrip("\n")
        return [tuple(r) for r in rows if r[0] not in local]

    def calls(self):
        """performance_schema: event name (select, insert, Ping ...) to (count, errors)."""
        return {name.rsplit("/", 1)[1]: (int(n), int(e)) for name, n, e in self.sql(
            "SELECT event_name, count_star, sum_errors FROM"
            " performance_schema.events_statements_summary_global_by_event_name WHERE count_star > 0")}


class Redis(Server):
    def command(self):
        return ["/usr/bin/redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "",
                "--appendonly", "no", "--dir", self.dir, "--unixsocket", self.dir / "s.sock",
                "--io-threads", "1", "--proto-max-bulk-len", "64mb"]

    def cli(self, *args):
        return subprocess.run(["redis-cli", "-s", self.dir / "s.sock", *args], check=True,
                              capture_output=True, text=True).stdout

    def mark(self):
        """From here on calls() and errors() count anew."""
        self.cli("CONFIG", "RESETSTAT")

    def calls(self):
        """INFO commandstats: command (without its subcommand), to (calls, failed)."""
        return self.parse_calls(self.cli("INFO", "commandstats"))

    @staticmethod
    def parse_calls(text):
        out = Counter(), Counter()
        for line in text.splitlines():
            m = re.match(r"cmdstat_([^:|]+)(\|[^:]*)?:calls=(\d+).*rejected_calls=(\d+),failed_calls=(\d+)", line)
            if m and (m[1], m[2]) != ("config", "|resetstat"):
                out[0][m[1].upper()] += int(m[3]) + int(m[4])
                out[1][m[1].upper()] += int(m[4]) + int(m[5])
        return out

    def errors(self):
        """INFO errorstats: error prefix to count."""
        return self.parse_errors(self.cli("INFO", "errorstats"))

    @staticmethod
    def parse_errors(text):
        return Counter({m[1]: int(m[2]) for m in re.finditer(r"errorstat_([A-Z]+):count=(\d+)", text)})
