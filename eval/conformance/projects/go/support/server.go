package support

import (
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func serve() {
	s := server.NewMCPServer("orders", "1.0.0")
	s.AddTool(mcp.NewTool("order_status", mcp.WithDescription("Status of an order.")), orderStatus)
	server.ServeStdio(s)
}
