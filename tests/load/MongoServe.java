// SPDX-License-Identifier: GPL-3.0-or-later
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.io.PrintStream;
import java.net.InetSocketAddress;

/**
 * mongo-java-server, which keeps an account: a line for each command that came as OP_MSG,
 * "PORT DATABASE COMMAND FLAGS", written when it has been dealt with.
 *
 * usage: MongoServe PORT ACCOUNT
 */
class MongoServe extends MemoryBackend {
	private final PrintStream account;

	MongoServe(String path) throws Exception {
		account = new PrintStream(path);
		version(ServerVersion.MONGO_5_0);
	}

	@Override
	public Document handleMessage(MongoMessage m) {
		Document body = m.getDocument();
		int port = ((InetSocketAddress) m.getChannel().remoteAddress()).getPort();
		String line = port + " " + m.getDatabaseName() + " " + body.keySet().iterator().next() + " " + m.getFlags();

		try {
			return super.handleMessage(m);
		} finally {
			synchronized (account) {
				account.println(line);
				account.flush();
			}
		}
	}

	public static void main(String[] argv) throws Exception {
		MongoServer server = new MongoServer(new MongoServe(argv[1]));

		server.bind("127.0.0.1", Integer.parseInt(argv[0]));
		Thread.sleep(Long.MAX_VALUE);
	}
}
