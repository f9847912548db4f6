"""Ruby as it is written: constants that all files share, class bodies, and what its SDKs make."""

import random

import pytest


def ask(model: str, before: str = "") -> str:
    return f"{before}\ndef ask(q)\n  OpenAI::Client.new.chat(parameters: {{ model: {model}, messages: [] }})\nend\n"


@pytest.mark.parametrize(
    ("model", "before", "found"),
    [
        ("'gpt-4o'", "", {"gpt-4o"}),
        ("MODEL", "MODEL = 'gpt-4o'.freeze", {"gpt-4o"}),
        ('"gpt-#{SIZE}"', "SIZE = '4o'", {"gpt-4o"}),
        (":'gpt-4o'", "", {"gpt-4o"}),
        ("pick", "def pick = 'gpt-4o'", {"gpt-4o"}),
        ("Names::BIG", "module Names\n  BIG = 'gpt-4o'\nend", {"gpt-4o"}),
        ("ENV.fetch('MODEL', 'gpt-4o')", "", {"gpt-4o", "gpt-4.1-nano"}),
        ("ENV.fetch('MODEL') { 'gpt-4o' }", "", {"gpt-4o", "gpt-4.1-nano"}),
        ("ENV['MODEL'] || 'gpt-4o'", "", {"gpt-4o", "gpt-4.1-nano"}),
        ("MODELS[:cheap]", "MODELS = { cheap: 'gpt-4o' }", {"gpt-4o"}),
        ("q ? 'gpt-4o' : 'gpt-4.1'", "", {"gpt-4o", "gpt-4.1"}),
        ("q", "", set()),
    ],
)
def test_a_model_is_followed_to_where_its_name_stands(see, model, before, found):
    assert see({"app.rb": ask(model, before)}, {"MODEL": "gpt-4.1-nano"}).names("model") == found


def test_classes_of_the_framework_are_agents_and_tools_by_what_they_extend(see):
    seen = see(
        {
            "app/tools/lookup_order.rb": "class LookupOrder < RubyLLM::Tool\n  description 'd'\nend",
            "app/agents/support.rb": (
                "class Support < RubyLLM::Agent\n  model 'gpt-4o'\n  instructions Prompts::SUPPORT\n"
                "  tools LookupOrder\nend"
            ),
            "app/prompts.rb": "module Prompts\n  SUPPORT = <<~TEXT\n    You help customers.\n  TEXT\nend",
        }
    )
    assert seen.names("agent") == {"Support"}
    assert ("Support", "uses_tool", "lookup_order") in seen.links("uses_tool")
    assert ("Support", "uses_model", "gpt-4o") in seen.links("uses_model")
    assert seen.where("prompt", "SUPPORT") == {"app/prompts.rb:2"}


@pytest.mark.parametrize(
    "code",
    [
        "class Agent\n  def initialize(model:); end\nend\nAgent.new(model: 'gpt-4o')",
        "# RubyLLM.chat(model: 'gpt-4o')",
        "module RubyLLM\n  def self.chat(model:); end\nend\nRubyLLM.chat(model: 'gpt-4o')",
        "puts 'RubyLLM.chat'",
    ],
)
def test_look_alikes_and_comments_name_nothing(see, code):
    seen = see({"app.rb": code})
    assert seen.names("model") | seen.names("agent") | seen.names("framework") == set()


@pytest.mark.parametrize("opening", ["(", "[", "{ a: ", "f(", "if x\n", "-> { ", "!"])
def test_deep_nesting_is_walked_without_a_stack(see, opening):
    see({"app.rb": f"x = RubyLLM.chat\ny = {opening * 10_000}"})


def test_damaged_files_never_raise(see):
    rng = random.Random(7)
    whole = (ask('"a#{b}"', "class A < B::C\n  include D\n  model 'x', y: <<~T\n    z #{q}\n  T\nend") * 2).encode()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 12)):
            place = rng.randrange(len(data))
            data[place : place + rng.randrange(4)] = bytes(rng.randrange(256) for _ in range(rng.randrange(4)))
        see({"app.rb": bytes(data)})
