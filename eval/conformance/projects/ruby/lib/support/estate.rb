# frozen_string_literal: true

module Support
  module Estate
    # Somebody who sells houses.
    class Agent
      def initialize(name:, model:)
        @name = name
        @model = model
      end
    end

    DECOY = Agent.new(name: "decoy", model: "decoy-model")
  end
end
