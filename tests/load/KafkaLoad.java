// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * KafkaLoad - operations of Kafka's own client, by kind.
 *
 *	java -cp 'classes:lib/*' KafkaLoad HOST:PORT KIND [N [wait]]
 *
 * topics      makes `orders` with one partition and `wide` with three
 * produce N   N messages to `orders`, each answered before the next is sent; every
 *             tenth is larger than 64 KiB, every fifth carries a traceparent
 * batches N   N messages to the three partitions of `wide`, sent as fast as possible
 * consume N   all of `orders` and N messages more, in the group `readers`, with a commit
 *             after each poll
 * group N     likewise in a group of the newer protocol
 * txn N       N transactions of two messages and an offset
 * admin       each operation of the administrator once; failing ones too
 *
 * With `wait` a producer or consumer begins, says `ready` and goes on after a line of
 * standard input. The last line is the number of messages since then.
 */
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.*;

public class KafkaLoad {
	static final String CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	static String server;
	static boolean waits;

	static Map<String, Object> conf(Object... pairs)
	{
		Map<String, Object> m = new HashMap<>();

		m.put("bootstrap.servers", server);
		m.put("enable.metrics.push", false);
		for (int i = 0; i < pairs.length; i += 2)
			m.put((String) pairs[i], pairs[i + 1]);
		return m;
	}

	static KafkaProducer<byte[], byte[]> producer(Object... pairs)
	{
		return new KafkaProducer<>(conf(pairs), new ByteArraySerializer(), new ByteArraySerializer());
	}

	static KafkaConsumer<byte[], byte[]> consumer(Object... pairs)
	{
		return new KafkaConsumer<>(conf(pairs), new ByteArrayDeserializer(),
					   new ByteArrayDeserializer());
	}

	static void ready() throws Exception
	{
		System.out.println("ready");
		System.in.read();
	}

	static long produce(int n) throws Exception
	{
		try (var p = producer("client.id", "shop")) {
			if (waits) {
				p.send(new ProducerRecord<>("orders", new byte[10])).get();
				ready();
			}
			for (int i = 0; i < n; i++) {
				var r = new ProducerRecord<byte[], byte[]>("orders", 0, null,
									   new byte[i % 10 == 9 ? 70000 : 100]);
				if (i % 5 == 0)
					r.headers().add("traceparent", CONTEXT.getBytes());
				p.send(r).get();
			}
		}
		return n;
	}

	static long batches(int n)
	{
		try (var p = producer("client.id", "fast", "linger.ms", 5, "batch.size", 20000)) {
			for (int i = 0; i < n; i++)
				p.send(new ProducerRecord<>("wide", i % 3, null, new byte[200 + i % 300]));
		}
		return n;
	}

	/* Up to the end of what there is. */
	static long drain(KafkaConsumer<byte[], byte[]> c)
	{
		long got = 0;

		while (c.assignment().isEmpty())
			got += c.poll(Duration.ofMillis(200)).count();
		for (var end : c.endOffsets(c.assignment()).entrySet())
			while (c.position(end.getKey()) < end.getValue())
				got += c.poll(Duration.ofMillis(200)).count();
		c.commitSync();
		return got;
	}

	static long consume(int n, String protocol) throws Exception
	{
		long got = 0;

		try (var p = producer("client.id", "feeder", "linger.ms", 0);
		     var c = consumer("group.id", protocol.equals("classic") ? "readers" : "modern",
				      "group.protocol", protocol, "client.id", "reader",
				      "auto.offset.reset", "earliest", "enable.auto.commit", false)) {
			c.subscribe(List.of("orders"));
			got = drain(c);
			if (waits) {
				ready();
				got = 0;
			}
			for (int i = 0; i < n; i++) {
				p.send(new ProducerRecord<>("orders", new byte[i % 500])).get();
				if (i % 20 != 19)
					continue;
				got += c.poll(Duration.ofMillis(100)).count();
				c.commitSync();
			}
			got += drain(c);
		}
		return got;
	}

	static long txn(int n)
	{
		try (var p = producer("transactional.id", "mover", "client.id", "mover")) {
			p.initTransactions();
			for (int i = 0; i < n; i++) {
				p.beginTransaction();
				p.send(new ProducerRecord<>("moved", 0, null, new byte[10]));
				p.send(new ProducerRecord<>("moved", 0, null, new byte[10]));
				p.sendOffsetsToTransaction(
					Map.of(new TopicPartition("orders", 0), new OffsetAndMetadata(i)),
					new ConsumerGroupMetadata("movers"));
				if (i % 5 == 4)
					p.abortTransaction();
				else
					p.commitTransaction();
			}
		}
		return 2L * n;
	}

	static long topics() throws Exception
	{
		try (Admin a = Admin.create(conf())) {
			a.createTopics(List.of(new NewTopic("orders", 1, (short) 1),
					       new NewTopic("wide", 3, (short) 1))).all().get();
		}
		return 0;
	}

	interface Op {
		KafkaFuture<?> run() throws Exception;
	}

	/* Those that fail do so on purpose. */
	static void each(Op... ops) throws Exception
	{
		for (Op op : ops) {
			try {
				op.run().get();
			} catch (ExecutionException e) {
				System.err.println(e.getCause().getMessage());
			}
		}
	}

	static long admin() throws Exception
	{
		var tp = new TopicPartition("made", 0);
		var broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
		var acl = new AclBinding(new ResourcePattern(ResourceType.TOPIC, "made", PatternType.LITERAL),
					 new AccessControlEntry("User:a", "*", AclOperation.READ,
								AclPermissionType.ALLOW));
		var level = new AlterConfigOp(new ConfigEntry("log.cleaner.threads", "1"),
					      AlterConfigOp.OpType.SET);
		var user = new ClientQuotaEntity(Map.of(ClientQuotaEntity.USER, "u"));

		try (Admin a = Admin.create(conf("client.id", "admin"))) {
			each(() -> a.createTopics(List.of(new NewTopic("made", 1, (short) 1),
							  new NewTopic("also", 2, (short) 1))).all(),
			     () -> a.createTopics(List.of(new NewTopic("made", 1, (short) 1))).all(),
			     () -> a.createPartitions(Map.of("made", NewPartitions.increaseTo(2))).all(),
			     () -> a.describeTopics(List.of("made", "missing")).allTopicNames(),
			     () -> a.listOffsets(Map.of(tp, OffsetSpec.latest())).all(),
			     () -> a.describeConfigs(List.of(broker)).all(),
			     () -> a.incrementalAlterConfigs(Map.of(broker, List.of(level))).all(),
			     () -> a.describeLogDirs(List.of(1)).allDescriptions(),
			     () -> a.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(0))).all(),
			     () -> a.describeCluster().nodes(),
			     () -> a.listConsumerGroups().all(),
			     () -> a.describeConsumerGroups(List.of("readers")).all(),
			     () -> a.listConsumerGroupOffsets("readers").all(),
			     () -> a.deleteConsumerGroupOffsets("readers", Set.of(tp)).all(),
			     () -> a.deleteConsumerGroups(List.of("nobody")).all(),
			     () -> a.listTransactions().all(),
			     () -> a.describeProducers(List.of(tp)).all(),
			     () -> a.describeTransactions(List.of("mover")).all(),
			     () -> a.describeAcls(AclBindingFilter.ANY).values(),
			     () -> a.createAcls(List.of(acl)).all(),
			     () -> a.deleteAcls(List.of(acl.toFilter())).all(),
			     () -> a.describeClientQuotas(ClientQuotaFilter.all()).entities(),
			     () -> a.alterClientQuotas(List.of(new ClientQuotaAlteration(user,
					List.of(new ClientQuotaAlteration.Op("request_percentage", 90.0))))).all(),
			     () -> a.electLeaders(ElectionType.PREFERRED, Set.of(tp)).all(),
			     () -> a.listPartitionReassignments(Set.of(tp)).reassignments(),
			     () -> a.describeUserScramCredentials(List.of("u")).all(),
			     () -> a.describeDelegationToken().delegationTokens(),
			     () -> a.describeMetadataQuorum().quorumInfo(),
			     () -> a.describeFeatures().featureMetadata(),
			     () -> a.listClientMetricsResources().all(),
			     () -> a.deleteTopics(List.of("made", "missing")).all());
		}
		return 0;
	}

	public static void main(String[] args) throws Exception
	{
		int n = args.length > 2 ? Integer.parseInt(args[2]) : 0;

		server = args[0];
		waits = args.length > 3 && args[3].equals("wait");
		System.out.println(switch (args[1]) {
		case "topics" -> topics();
		case "produce" -> produce(n);
		case "batches" -> batches(n);
		case "consume" -> consume(n, "classic");
		case "group" -> consume(n, "consumer");
		case "txn" -> txn(n);
		case "admin" -> admin();
		default -> throw new IllegalArgumentException(args[1]);
		});
	}
}
