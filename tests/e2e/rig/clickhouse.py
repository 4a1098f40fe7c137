# SPDX-License-Identifier: GPL-3.0-or-later
"""A ClickHouse of one node that logs each query in a table of its own."""
import csv
import io
import subprocess

from rig.proc import free_port, wait_for
from rig.servers import Server

CONF = """<yandex>
<logger><level>warning</level><console>1</console></logger>
<tcp_port>{port}</tcp_port><http_port>{http}</http_port><interserver_http_port>{between}</interserver_http_port>
<listen_host>127.0.0.1</listen_host>
<path>{dir}/data/</path><tmp_path>{dir}/tmp/</tmp_path><user_files_path>{dir}/files/</user_files_path>
<mark_cache_size>5368709</mark_cache_size><users_config>{dir}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<query_log><database>system</database><table>query_log</table>
<flush_interval_milliseconds>1000</flush_interval_milliseconds></query_log>
</yandex>
"""

USERS = """<yandex>
<profiles><default><log_queries>1</log_queries><max_threads>2</max_threads></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas>
</yandex>
"""

ENDS = {2: "done", 3: "refused", 4: "failed"}  # system.query_log.type


class ClickHouse(Server):
    """`native` speaks the native protocol, `http` HTTP; `port` is the first of them."""

    def prepare(self):
        self.native, self.http = self.port, free_port()
        (self.dir / "users.xml").write_text(USERS)
        (self.dir / "config.xml").write_text(CONF.format(
            dir=self.dir, port=self.port, http=self.http, between=free_port()))

    def command(self):
        return ["clickhouse-server", f"--config-file={self.dir}/config.xml"]

    def client(self, *args, text=None):
        """clickhouse-client, which comes with the server; what it printed."""
        return subprocess.run(["clickhouse-client", "--host", "127.0.0.1", "--port", str(self.native), *args],
                              input=text, capture_output=True, text=True, timeout=120)

    def sql(self, text):
        done = self.client("--query", text)
        assert not done.returncode, done.stderr
        return done.stdout

    def wait_ready(self):
        wait_for("ClickHouse to answer", lambda: not self.client("--query", "SELECT 1").returncode, 120)

    def mark(self):
        pass

    def log(self, name):
        """What its log says of the queries of clients with this name: how it ended, text, rows read and of the result."""
        self.sql("SYSTEM FLUSH LOGS")
        out = self.sql("SELECT type, query, read_rows, result_rows, exception FROM system.query_log "
                       f"WHERE type > 1 AND client_name = '{name}' FORMAT CSV")
        for kind, query, read, result, why in csv.reader(io.StringIO(out)):
            yield {"end": ENDS[int(kind)], "query": query, "read": int(read), "result": int(result), "why": why}
