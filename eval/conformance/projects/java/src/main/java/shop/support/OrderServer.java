package shop.support;

import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures;
import io.modelcontextprotocol.server.McpSyncServer;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema.Tool;

public class OrderServer {
    McpSyncServer start(StdioServerTransportProvider transport) {
        McpSyncServer server = McpServer.sync(transport).serverInfo("orders", "1.0.0").build();
        server.addTool(McpServerFeatures.SyncToolSpecification.builder()
            .tool(Tool.builder().name("order_status").description("Status of an order.").build())
            .build());
        return server;
    }
}
