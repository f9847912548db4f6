# frozen_string_literal: true

require "mcp"

module Support
  class OrderStatus < MCP::Tool
    tool_name "order_status"
    description "Status of an order."
    input_schema(properties: { id: { type: "string" } }, required: ["id"])

    def self.call(id:)
      MCP::Tool::Response.new([{ type: "text", text: id }])
    end
  end

  def self.serve
    server = MCP::Server.new(name: "orders", version: "1.0.0", tools: [OrderStatus])
    MCP::Server::Transports::StdioTransport.new(server).open
  end
end
