# SPDX-License-Identifier: GPL-3.0-or-later
"""RabbitMQ's broker, which counts what it has dealt with; its name server in a process of ours."""
import re
import subprocess
import urllib.request
from collections import Counter

from rig.proc import ROOT, end, free_port, wait_for
from rig.servers import Server, die_with_parent

CONF = """
listeners.tcp.1 = 127.0.0.1:{port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {metrics}
"""


class Rabbitmq(Server):
    epmd = None

    def prepare(self):
        subprocess.run([ROOT / "tests/setup/servers.sh", "rabbitmq-server"], check=True, stdout=subprocess.DEVNULL)
        self.metrics, names = free_port(), free_port()
        (self.dir / "rabbitmq.conf").write_text(CONF.format(port=self.port, metrics=self.metrics))
        (self.dir / "plugins").write_text("[rabbitmq_prometheus].\n")
        self.env.update({
            "HOME": str(self.dir), "RABBITMQ_NODENAME": f"obi{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()), "RABBITMQ_MNESIA_BASE": f"{self.dir}/mnesia",
            "RABBITMQ_LOG_BASE": f"{self.dir}/log", "RABBITMQ_CONFIG_FILE": f"{self.dir}/rabbitmq",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.dir}/plugins", "RABBITMQ_PID_FILE": f"{self.dir}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(names)})
        self.epmd = subprocess.Popen(["epmd", "-port", str(names), "-address", "127.0.0.1"], env=self.env,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)

    def command(self):
        return ["/usr/lib/rabbitmq/bin/rabbitmq-server"]

    def wait_ready(self):
        def ready():
            text = (self.dir / "out.log").read_text(errors="replace")
            assert self.process.poll() is None, text[-3000:]
            return "completed with" in text
        wait_for("RabbitMQ to start", ready, 120)

    def counts(self):
        """What it has counted since it began: name of the metric to number, all protocols and queues together."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=30) as r:
            found = Counter()
            for name, n in re.findall(r"^rabbitmq_(?:global_)?(\w+?)(?:\{.*\})? (\d+)$", r.read().decode(), re.M):
                found[name] += int(n)
        return found

    def mark(self):
        """counted() tells what came from here on."""
        self.begin = self.counts()

    def counted(self):
        now = self.counts()
        return Counter({k: now[k] - self.begin[k] for k in now})

    def stop(self):
        super().stop()
        if self.epmd:
            end(self.epmd)
