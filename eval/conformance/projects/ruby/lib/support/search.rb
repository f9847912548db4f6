# frozen_string_literal: true

require "langchain"

module Support
  def self.search
    llm = Langchain::LLM::OpenAI.new(
      api_key: ENV["OPENAI_API_KEY"],
      default_options: { embedding_model: "text-embedding-3-small" }
    )
    Langchain::Vectorsearch::Chroma.new(url: ENV["CHROMA_URL"], index_name: "manuals", llm: llm)
  end
end
