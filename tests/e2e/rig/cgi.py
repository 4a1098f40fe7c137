# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications behind a web server, by FastCGI, uwsgi and SCGI, with their own access log."""
import glob

from rig.servers import Nginx, Server

FPM_CONF = """
[global]
error_log = {dir}/error.log
[www]
user = www-data
group = www-data
listen = 127.0.0.1:{port}
pm = static
pm.max_children = 2
pm.max_requests = 0
access.log = {dir}/access.log
access.format = "%m %r%Q%q %s"
"""

SCRIPT = """<?php
if (isset($_GET['status'])) http_response_code(intval($_GET['status']));
if (isset($_GET['bytes'])) echo str_repeat('x', intval($_GET['bytes']));
if (isset($_GET['complain'])) fwrite(fopen('php://stderr', 'w'), 'complaint');
echo strlen(file_get_contents('php://input')), "\\n";
"""

APPLICATION = """
from urllib.parse import parse_qsl

def application(env, start):
    asked = dict(parse_qsl(env["QUERY_STRING"]))
    body = b"x" * int(asked.get("bytes", 0)) + b"%d\\n" % len(env["wsgi.input"].read())
    length = [("Content-Length", str(len(body)))] if "a" in asked else []
    start(asked.get("status", "200") + " because", [("Content-Type", "text/plain")] + length)
    return [] if env["REQUEST_METHOD"] == "HEAD" else [body]
"""


class Application(Server):
    def mark(self):
        pass

    def access(self):
        """(method, URI, status) of each request that it answered."""
        for line in (self.dir / "access.log").read_text().splitlines():
            yield tuple(line.split(" "))


class PhpFpm(Application):
    proto = "fastcgi"
    keeps = True

    def prepare(self):
        (self.dir / "fpm.conf").write_text(FPM_CONF.format(dir=self.dir, port=self.port))
        (self.dir / "app.php").write_text(SCRIPT)

    def command(self):
        fpm = sorted(glob.glob("/usr/sbin/php-fpm*"))[-1]
        return [fpm, "-n", "-R", "-F", "-y", self.dir / "fpm.conf"]


class Uwsgi(Application):
    """uWSGI with an application in Python."""

    proto, socket = "uwsgi", "--uwsgi-socket"
    keeps = False

    def prepare(self):
        (self.dir / "app.py").write_text(APPLICATION)

    def command(self):
        return ["/usr/bin/uwsgi-core", "--plugin", "python3", self.socket, f"127.0.0.1:{self.port}",
                "--wsgi-file", self.dir / "app.py", "--processes", 2, "--logto", self.dir / "log",
                "--log-format", "answered %(method) %(uri) %(status)", "--die-on-term"]

    def access(self):
        for line in (self.dir / "log").read_text().splitlines():
            if line.startswith("answered "):
                yield tuple(line.split(" ")[1:])


class Scgi(Uwsgi):
    proto, socket = "scgi", "--scgi-socket"


class Site(Nginx):
    """nginx that hands everything below /app to an application, where it can over connections that stay open."""

    def __init__(self, app):
        super().__init__(workers=1, extra=f"""
        location /app {{
            include /etc/nginx/{app.proto}_params;
            {app.proto}_param SCRIPT_FILENAME {app.dir}/app.php;
            {"fastcgi_keep_conn on;" if app.keeps else ""}
            {app.proto}_pass app;
        }}""", upstreams=f"upstream app {{ server 127.0.0.1:{app.port}; {'keepalive 2;' if app.keeps else ''} }}")
