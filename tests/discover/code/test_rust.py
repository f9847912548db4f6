"""Rust as it is written: values that are followed across modules and crates, and what its SDKs make."""

import random

import pytest

OPENAI = "use async_openai::{types::CreateChatCompletionRequestArgs, Client};\n"


def ask(model: str, items: str = "") -> str:
    return (
        f"{OPENAI}{items}\nasync fn ask(q: &str) -> Result<()> {{\n    let client = Client::new();\n"
        f"    let request = CreateChatCompletionRequestArgs::default().model({model}).build()?;\n"
        "    client.chat().create(request).await?;\n    Ok(())\n}\n"
    )


@pytest.mark.parametrize(
    ("model", "items", "found"),
    [
        ('"gpt-4o"', "", {"gpt-4o"}),
        ("MODEL", 'const MODEL: &str = "gpt-4o";', {"gpt-4o"}),
        ("MODEL.to_string()", 'static MODEL: &str = "gpt-4o";', {"gpt-4o"}),
        ('format!("gpt-{}", SIZE)', 'const SIZE: &str = "4o";', {"gpt-4o"}),
        ('format!("gpt-{SIZE}")', 'const SIZE: &str = "4o";', {"gpt-4o"}),
        ("pick()", 'fn pick() -> &\'static str { "gpt-4o" }', {"gpt-4o"}),
        ("Model::Big.id()",
         'enum Model { Big, Small }\nimpl Model { fn id(&self) -> &str '
         '{ match self { Model::Big => "gpt-4o", Model::Small => "gpt-4o-mini" } } }', {"gpt-4o"}),
        ('std::env::var("MODEL").unwrap_or_else(|_| "gpt-4o".into())', "", {"gpt-4o", "gpt-4.1-nano"}),
        ('std::env::var("MODEL").expect("MODEL")', "", {"gpt-4.1-nano"}),
        ("names::BIG", 'mod names { pub const BIG: &str = "gpt-4o"; }', {"gpt-4o"}),
        ('if q.is_empty() { "gpt-4o" } else { "gpt-4.1" }', "", {"gpt-4o", "gpt-4.1"}),
        ("q", "", set()),
    ],
)  # fmt: skip
def test_a_model_is_followed_to_where_its_name_stands(see, model, items, found):
    assert see({"src/main.rs": ask(model, items)}, {"MODEL": "gpt-4.1-nano"}).names("model") == found


def test_a_constant_comes_from_another_module_and_another_crate(see):
    seen = see(
        {
            "app/Cargo.toml": '[package]\nname = "app"\n',
            "app/src/main.rs": ask("crate::config::models::BIG"),
            "app/src/other.rs": ask("super::config::SMALL"),
            "app/src/third.rs": ask("my_names::NAME", "use my_names;"),
            "app/src/config/mod.rs": 'pub mod models;\npub const SMALL: &str = "gpt-4o-mini";',
            "app/src/config/models.rs": 'pub const BIG: &str = "gpt-4o";',
            "names/Cargo.toml": '[package]\nname = "my-names"\n',
            "names/src/lib.rs": "mod inner;\npub use inner::*;",
            "names/src/inner.rs": 'pub const NAME: &str = "gpt-4.1";',
        }
    )
    assert seen.names("model") >= {"gpt-4o-mini", "gpt-4.1"}


def test_an_agent_has_its_tools_model_and_prompt(see):
    seen = see(
        {
            "src/main.rs": (
                "use rig::providers::openai;\nuse rig::tool::Tool;\nuse rig::tool_macro as rig_tool;\n"
                'struct Adder;\nimpl Tool for Adder { const NAME: &\'static str = "add"; }\n'
                "#[rig_tool]\nfn subtract(a: i32) -> i32 { a }\n"
                "fn main() { let clerk = openai::Client::from_env().agent(openai::GPT_4O)"
                '.preamble("You add numbers.").tool(Adder).tool(Subtract).build(); }'
            )
        }
    )
    assert seen.names("agent") == {"clerk"}
    assert seen.names("tool") == {"add", "subtract"}
    assert {("clerk", "uses_tool", "add"), ("clerk", "uses_model", "gpt-4o")} <= {
        *seen.links("uses_tool"), *seen.links("uses_model")
    }  # fmt: skip


@pytest.mark.parametrize(
    "code",
    [
        "use house::Agent;\nfn main() { let a = Agent::new(\"gpt-4o\"); }",
        "// use rig::providers::openai; openai::Client::from_env().agent(\"gpt-4o\")\nfn main() {}",
        "struct Client;\nimpl Client { fn agent(&self, m: &str) {} }\nfn main() { Client.agent(\"gpt-4o\"); }",
        f"{OPENAI}#[cfg(test)]\nmod tests {{ fn t() {{ Client::new(); let m = \"gpt-4o\"; }} }}",
    ],
)  # fmt: skip
def test_look_alikes_comments_and_unit_tests_name_no_model(see, code):
    assert see({"src/main.rs": code}).names("model") == set()
    assert see({"src/main.rs": code}).names("agent") == set()


@pytest.mark.parametrize("opening", ["(", "[", "{", "if x {", "f(", "&", "match x { _ => "])
def test_deep_nesting_is_walked_without_a_stack(see, opening):
    see({"src/main.rs": f"{OPENAI}fn main() {{ let x = {opening * 10_000}"})


def test_damaged_files_never_raise(see):
    rng = random.Random(7)
    whole = ask(
        'format!("gpt-{}", json!({"a": [1, self.b.clone()]}))', "#[derive(A)]\nenum M { A(u8), B { c: u8 } }"
    ).encode()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.randrange(1, 12)):
            place = rng.randrange(len(data))
            data[place : place + rng.randrange(4)] = bytes(rng.randrange(256) for _ in range(rng.randrange(4)))
        see({"src/main.rs": bytes(data)})
