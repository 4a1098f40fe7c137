# SPDX-License-Identifier: GPL-3.0-or-later
"""Apache Kafka's broker, which logs each request that it has answered; its clients."""
import json
import re
import subprocess

from rig.proc import ROOT, free_port, wait_for
from rig.servers import Server

CONF = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={dir}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.coordinator.rebalance.protocols=classic,consumer
"""

LOG = """
log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.logger.kafka.request.logger=DEBUG, requests
log4j.additivity.kafka.request.logger=false
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n
log4j.appender.requests=org.apache.log4j.FileAppender
log4j.appender.requests.File={dir}/requests.log
log4j.appender.requests.layout=org.apache.log4j.PatternLayout
log4j.appender.requests.layout.ConversionPattern=%m%n
"""

LATER_NAMES = {"listclientmetricsresources": "listconfigresources"}


def errors_of(answer):
    """All error codes of an answer, in its order."""
    if isinstance(answer, dict):
        for key, value in answer.items():
            if key.lower().endswith("errorcode"):
                yield value
            else:
                yield from errors_of(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from errors_of(value)


def first_topic(request):
    """The name of the first topic of a request; None where it has none, or an id."""
    for name in ("topicData", "topics", "topicNames", "topicPartitions", "v3AndBelowTopics"):
        for topic in request.get(name) or ():
            name = topic if isinstance(topic, str) else topic.get("name", topic.get("topic", topic.get("topicName")))
            return name or None
    return None


class Kafka(Server):
    def prepare(self):
        self.home = subprocess.run([ROOT / "tests/setup/kafka.sh"], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.strip()
        self.controller = free_port()
        (self.dir / "conf").write_text(CONF.format(dir=self.dir, port=self.port, controller=self.controller))
        (self.dir / "log").write_text(LOG.format(dir=self.dir))
        (self.dir / "quiet").write_text("log4j.rootLogger=OFF\n")
        subprocess.run(self.java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg",
                                 "-c", self.dir / "conf"), check=True, stdout=subprocess.DEVNULL)

    def java(self, *argv, log="quiet"):
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", f"-Dlog4j.configuration=file:{self.dir}/{log}",
                "-cp", f"{self.home}/classes:{self.home}/lib/*", *map(str, argv)]

    def load(self, *argv):
        """A run of tests/load/KafkaLoad.java."""
        return self.java("KafkaLoad", f"127.0.0.1:{self.port}", *argv)

    def kcat(self, *argv):
        return ["kcat", "-b", f"127.0.0.1:{self.port}", *map(str, argv)]

    def command(self):
        return self.java("kafka.Kafka", self.dir / "conf", log="log")

    def wait_ready(self):
        def ready():
            text = (self.dir / "out.log").read_text(errors="replace")
            assert self.process.poll() is None, text[-3000:]
            return "Kafka Server started" in text
        wait_for("Kafka to start", ready, 120)

    def mark(self):
        """Counts from here on."""
        self.begin = (self.dir / "requests.log").stat().st_size

    def requests(self):
        """What was answered since mark(), oldest first; not what the broker asks its controller."""
        with open(self.dir / "requests.log", "rb") as f:
            f.seek(self.begin)
            for line in f.read().decode().splitlines():
                r = json.loads(line.split(":", 1)[1])
                if r["listener"] == "PLAINTEXT":
                    yield self.request(r)

    @staticmethod
    def request(r):
        head = r["requestHeader"]
        name = head["requestApiKeyName"].replace("_", "").lower()
        errors = list(errors_of(r["response"]))
        return {
            "port": int(re.search(r":(\d+)-\d+$", r["connection"])[1]),
            "op": LATER_NAMES.get(name, name),
            "version": head["requestApiVersion"],
            "client": head["clientId"],
            "code": next((e for e in errors if e), 0),
            "topic": first_topic(r["request"]),
            "group": r["request"].get("groupId"),
        }
