package shop.support

import io.modelcontextprotocol.kotlin.sdk.server.Server
import io.modelcontextprotocol.kotlin.sdk.server.ServerOptions
import io.modelcontextprotocol.kotlin.sdk.types.CallToolResult
import io.modelcontextprotocol.kotlin.sdk.types.Implementation
import io.modelcontextprotocol.kotlin.sdk.types.ServerCapabilities
import io.modelcontextprotocol.kotlin.sdk.types.TextContent

fun orderServer(): Server {
    val server = Server(
        serverInfo = Implementation(name = "orders", version = "1.0.0"),
        options = ServerOptions(capabilities = ServerCapabilities(tools = ServerCapabilities.Tools(listChanged = true))),
    )
    server.addTool(name = "order_status", description = "Status of an order.") { request ->
        CallToolResult(content = listOf(TextContent("${request.arguments}")))
    }
    return server
}
