# frozen_string_literal: true

require "anthropic"
require "openai"

require_relative "config"

module Support
  class Ask
    MODEL = "gpt-4o"
    FAMILY = "sonnet"
    MODELS = { "cheap" => "gpt-3.5-turbo" }.freeze

    def initialize(client: OpenAI::Client.new, claude: Anthropic::Client.new)
      @client = client
      @claude = claude
    end

    def constant(question)
      client.responses.create(model: MODEL, input: question)
    end

    def concatenation(question)
      client.responses.create(model: MODEL + "-mini", input: question)
    end

    def template(question)
      @claude.messages.create(
        model: "claude-#{FAMILY}-4-5",
        max_tokens: 100,
        messages: [{ role: "user", content: question }]
      )
    end

    def enumerated(question)
      client.responses.create(model: Model::ROUTER, input: question)
    end

    def configured(question)
      client.responses.create(model: Support.settings.summary_model, input: question)
    end

    def from_environment(question)
      client.responses.create(model: ENV.fetch("TRIAGE_MODEL", "gpt-4.1-nano"), input: question)
    end

    def from_file(question)
      client.responses.create(model: ENV.fetch("SUPPORT_MODEL"), input: question)
    end

    def from_compose(question)
      client.responses.create(model: ENV["REASONING_MODEL"], input: question)
    end

    def imported(question)
      client.responses.create(model: SHARED_MODEL, input: question)
    end

    def defaulted(question, model: "gpt-5-nano")
      client.responses.create(model:, input: question)
    end

    def caller
      passed("hello", "gpt-4-turbo")
    end

    def chosen(question)
      client.responses.create(model: MODELS.fetch("cheap"), input: question)
    end

    # client.responses.create(model: "gpt-4-32k", input: "old")

    private

    attr_reader :client

    def passed(question, model)
      client.responses.create(model: model, input: question)
    end
  end
end
