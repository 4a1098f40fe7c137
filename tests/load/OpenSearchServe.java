// SPDX-License-Identifier: GPL-3.0-or-later
// OpenSearchServe - one node of OpenSearch: OpenSearchServe PORT TRANSPORT-PORT FOLDER
import org.codelibs.opensearch.runner.OpenSearchRunner;

public class OpenSearchServe {
	public static void main(String[] args) throws Exception {
		OpenSearchRunner runner = new OpenSearchRunner();

		runner.onBuild((number, settings) -> {
			settings.put("http.port", args[0]);
			settings.put("transport.port", args[1]);
			settings.put("network.host", "127.0.0.1");
			settings.put("discovery.type", "single-node");
		}).build(OpenSearchRunner.newConfigs().basePath(args[2]).numOfNode(1).clusterName("obi").useLogger());
		Thread.sleep(Long.MAX_VALUE);
	}
}
