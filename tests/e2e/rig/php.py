# SPDX-License-Identifier: GPL-3.0-or-later
"""php-fpm with an access log, and nginx in front of it."""
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


class PhpFpm(Server):
    def prepare(self):
        (self.dir / "fpm.conf").write_text(FPM_CONF.format(dir=self.dir, port=self.port))
        (self.dir / "app.php").write_text(SCRIPT)

    def command(self):
        fpm = sorted(glob.glob("/usr/sbin/php-fpm*"))[-1]
        return [fpm, "-n", "-R", "-F", "-y", self.dir / "fpm.conf"]

    def mark(self):
        pass

    def access(self):
        """(method, URI, status) of each request that php answered."""
        for line in (self.dir / "access.log").read_text().splitlines():
            yield tuple(line.split(" "))


class PhpSite(Nginx):
    """nginx that hands everything below /app to php-fpm, over connections that stay open."""

    def __init__(self, fpm):
        super().__init__(workers=1, extra=f"""
        location /app {{
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME {fpm.dir}/app.php;
            fastcgi_keep_conn on;
            fastcgi_pass php;
        }}""", upstreams=f"upstream php {{ server 127.0.0.1:{fpm.port}; keepalive 2; }}")
