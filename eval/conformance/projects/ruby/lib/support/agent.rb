# frozen_string_literal: true

require "langchain"
require "net/http"

require_relative "prompts"

module Support
  class OrderTools
    extend Langchain::ToolDefinition

    define_function :lookup_order, description: "Look up an order." do
      property :id, type: "string", description: "Number of the order", required: true
    end

    define_function :refund_order, description: "Refund an order." do
      property :id, type: "string", description: "Number of the order", required: true
    end

    def lookup_order(id:)
      tool_response(content: Net::HTTP.get(URI("https://orders.internal/v1/#{id}")))
    end

    def refund_order(id:)
      File.write("refunds.txt", id)
      tool_response(content: id)
    end
  end

  def self.agent
    llm = Langchain::LLM::OpenAI.new(
      api_key: ENV["OPENAI_API_KEY"],
      default_options: { chat_model: "gpt-4o" }
    )
    support = Langchain::Assistant.new(llm: llm, instructions: Prompts::SUPPORT, tools: [OrderTools.new])
    support
  end
end
