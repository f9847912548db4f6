# frozen_string_literal: true

module Support
  SHARED_MODEL = "gpt-5"

  module Model
    ROUTER = "gpt-4.1"
  end

  class Settings
    attr_reader :summary_model

    def initialize(summary_model: "gpt-4.1-mini")
      @summary_model = summary_model
    end
  end

  def self.settings
    @settings ||= Settings.new
  end
end
