"""PHP as it is written: namespaces, configuration of Laravel, attributes, and what its SDKs make."""

import random

import pytest


def ask(model: str, before: str = "") -> str:
    return (
        f"<?php\nnamespace App;\nuse OpenAI;\n{before}\nfunction ask($q) {{\n  $c = OpenAI::client('k');\n"
        f"  return $c->chat()->create(['model' => {model}, 'messages' => []]);\n}}\n"
    )


@pytest.mark.parametrize(
    ("model", "before", "found"),
    [
        ("'gpt-4o'", "", {"gpt-4o"}),
        ("MODEL", "const MODEL = 'gpt-4o';", {"gpt-4o"}),
        ("'gpt-' . SIZE", "const SIZE = '4o';", {"gpt-4o"}),
        ("sprintf('gpt-%s', SIZE)", "const SIZE = '4o';", {"gpt-4o"}),
        ("Names::BIG", "class Names { public const BIG = 'gpt-4o'; }", {"gpt-4o"}),
        ("Names::Big->value", "enum Names: string { case Big = 'gpt-4o'; }", {"gpt-4o"}),
        ("(new Names())->big", "class Names { function __construct(public string $big = 'gpt-4o') {} }", {"gpt-4o"}),
        ("env('MODEL', 'gpt-4o')", "", {"gpt-4o", "gpt-4.1-nano"}),
        ("getenv('MODEL') ?: 'gpt-4o'", "", {"gpt-4o", "gpt-4.1-nano"}),
        ("$_ENV['MODEL'] ?? 'gpt-4o'", "", {"gpt-4o", "gpt-4.1-nano"}),
        ("match ($q) { 'a' => 'gpt-4o', default => 'gpt-4.1' }", "", {"gpt-4o", "gpt-4.1"}),
        ("$q", "", set()),
    ],
)  # fmt: skip
def test_a_model_is_followed_to_where_its_name_stands(see, model, before, found):
    assert see({"src/app.php": ask(model, before)}, {"MODEL": "gpt-4.1-nano"}).names("model") == found


def test_the_configuration_of_laravel_is_followed_to_the_environment(see):
    seen = see(
        {
            "app/Ask.php": ask("config('services.openai.model')"),
            "config/services.php": "<?php\nreturn ['openai' => ['model' => env('MODEL', 'gpt-4o')]];",
        },
        {"MODEL": "gpt-4.1"},
    )
    assert seen.names("model") == {"gpt-4o", "gpt-4.1"}
    assert "config services.openai.model" in seen.chain("model", "gpt-4.1")


def test_a_chain_of_prism_names_model_prompt_and_tools(see):
    seen = see(
        {
            "app/Chat.php": (
                "<?php\nuse Prism\\Prism\\Prism;\nuse Prism\\Prism\\Tool;\nuse Prism\\Prism\\Enums\\Provider;\n"
                "$weather = Tool::as('weather')->for('d')->using(fn (string $c): string => $c);\n"
                "Prism::text()->using(Provider::Anthropic, 'claude-sonnet-4-5')\n"
                "  ->withSystemPrompt('You tell the weather.')->withTools([$weather])->asText();"
            )
        }
    )
    assert seen.names("model") == {"claude-sonnet-4-5"}
    assert seen.names("tool") == {"weather"}
    assert len(seen.names("prompt")) == 1
    assert "anthropic" in seen.names("provider")


def test_an_agent_is_said_once_where_its_class_is(see):
    seen = see(
        {
            "src/Coach.php": (
                "<?php\nnamespace App;\nuse NeuronAI\\Agent;\nclass Coach extends Agent {\n"
                "  public function instructions(): string { return 'You are a coach.'; }\n}\n"
                "$c = Coach::make()->chat($m);"
            )
        }
    )
    assert seen.names("agent") == {"Coach"}


@pytest.mark.parametrize(
    "code",
    [
        "<?php\nnamespace App;\nclass Agent { function __construct($model) {} }\n$a = new Agent(model: 'gpt-4o');",
        "<?php\n// OpenAI::client('k')->chat()->create(['model' => 'gpt-4o']);",
        "<?php\nuse Acme\\OpenAI;\nOpenAI::client('k')->chat()->create(['model' => 'gpt-4o']);",
        "<p>OpenAI::client('k')->chat()->create(['model' => 'gpt-4o'])</p>",
    ],
)
def test_look_alikes_and_comments_name_nothing(see, code):
    seen = see({"src/app.php": code})
    assert seen.names("model") | seen.names("agent") | seen.names("framework") == set()


@pytest.mark.parametrize("opening", ["(", "[", "f(", "['a' => ", "fn() => ", "!", "$a ? "])
def test_deep_nesting_is_walked_without_a_stack(see, opening):
    see({"src/app.php": f"<?php\nuse OpenAI\\Client;\n$x = {opening * 10_000}"})


def test_damaged_files_never_raise(see):
    rng = random.Random(7)
    whole = ask(
        '"a{$b->c} $d"', "#[A('b')] class C extends D { use E; public function __construct(private F $g) {} }"
    ).encode()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 12)):
            place = rng.randrange(len(data))
            data[place : place + rng.randrange(4)] = bytes(rng.randrange(256) for _ in range(rng.randrange(4)))
        see({"src/app.php": bytes(data)})
