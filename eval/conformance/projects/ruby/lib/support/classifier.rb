# frozen_string_literal: true

module Support
  class Classifier
    def initialize(client)
      @client = client
      @model = "gpt-5-mini"
    end

    def classify(text)
      @client.responses.create(model: @model, input: text)
    end
  end

  def self.classifier
    Classifier.new(OpenAI::Client.new)
  end
end
