# SPDX-License-Identifier: GPL-3.0-or-later
"""A Cassandra of one node."""
import subprocess

from rig.proc import ROOT, free_port, wait_for
from rig.servers import Server

CONF = """
cluster_name: obi
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
commitlog_sync: periodic
commitlog_sync_period: 10000ms
data_file_directories: [{dir}/data]
commitlog_directory: {dir}/commitlog
saved_caches_directory: {dir}/saved_caches
hints_directory: {dir}/hints
cdc_raw_directory: {dir}/cdc_raw
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:{storage}"
listen_address: 127.0.0.1
storage_port: {storage}
rpc_address: 127.0.0.1
native_transport_port: {port}
start_native_transport: true
endpoint_snitch: SimpleSnitch
auto_snapshot: false
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
"""

EXPORTS = """java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server
java.rmi/sun.rmi.transport.tcp java.sql/java.sql java.base/java.lang.ref java.base/java.lang.reflect
jdk.unsupported/sun.misc jdk.attach/sun.tools.attach jdk.compiler/com.sun.tools.javac.file"""

OPENS = """java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref
java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module
java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io
java.base/java.nio java.base/java.lang java.base/java.util java.base/java.util.concurrent
java.base/java.util.concurrent.atomic java.base/java.net java.base/java.lang.reflect
java.rmi/sun.rmi.transport.tcp"""


class Cassandra(Server):
    def prepare(self):
        self.home = subprocess.run([ROOT / "tests/setup/cassandra.sh"], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.strip()
        (self.dir / "conf").write_text(CONF.format(dir=self.dir, port=self.port, storage=free_port()))
        (self.dir / "logback.xml").write_text(
            '<configuration><appender name="o" class="ch.qos.logback.core.ConsoleAppender"><encoder>'
            '<pattern>%msg%n</pattern></encoder></appender>'
            '<root level="INFO"><appender-ref ref="o"/></root></configuration>')

    def command(self):
        def modules(flag, names):
            return [w for m in names.split() for w in (flag, f"{m}=ALL-UNNAMED")]
        return ["java", "-Xms256m", "-Xmx768m", "-XX:TieredStopAtLevel=1", f"-Dcassandra.config=file://{self.dir}/conf",
                f"-Dcassandra.storagedir={self.dir}", "-Dcassandra-foreground=yes", "-Dcassandra.ring_delay_ms=100",
                f"-Dcassandra.jmx.local.port={free_port()}", "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                "-Dcassandra.superuser_setup_delay_ms=0", f"-Dlogback.configurationFile={self.dir}/logback.xml",
                "-Djdk.attach.allowAttachSelf=true", f"-javaagent:{self.home}/lib/jamm-0.4.0.jar",
                *modules("--add-exports", EXPORTS), *modules("--add-opens", OPENS),
                "-cp", f"{self.home}/lib/*", "org.apache.cassandra.service.CassandraDaemon"]

    def wait_ready(self):
        def ready():
            text = (self.dir / "out.log").read_text(errors="replace")
            assert self.process.poll() is None, text[-3000:]
            return "Starting listening for CQL clients" in text
        wait_for("Cassandra to start", ready, 240)

    def mark(self):
        pass
