# frozen_string_literal: true

module Support
  module Prompts
    SUPPORT = <<~PROMPT
      You help customers of the shop with their orders. Be brief, and never promise a refund.
    PROMPT
  end
end
