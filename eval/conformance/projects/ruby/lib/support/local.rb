# frozen_string_literal: true

require "openai"

module Support
  def self.local
    client = OpenAI::Client.new(base_url: "http://llm.internal:8000/v1", api_key: "unused")
    client.chat.completions.create(
      model: "llama-3.3-70b-instruct",
      messages: [{ role: "user", content: "hi" }]
    )
  end
end
