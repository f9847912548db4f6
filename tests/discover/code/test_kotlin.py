"""Kotlin as it is written: values that are followed across files, classes and Java, DSLs, and each SDK."""

import random

import pytest

from penstock.discover.code.language import language


def chat(model: str, members: str = "", imports: str = "") -> str:
    return (
        "package com.acme.app\n\nimport com.aallam.openai.api.chat.ChatCompletionRequest\n"
        f"import com.aallam.openai.api.model.ModelId\nimport com.aallam.openai.client.OpenAI\n{imports}\n"
        f"class Chat(private val openAI: OpenAI) {{\n{members}\n    suspend fun ask(question: String) {{\n"
        f"        openAI.chatCompletion(ChatCompletionRequest(model = ModelId({model}), messages = listOf()))\n"
        "    }\n}\n"
    )


@pytest.mark.parametrize(
    ("model", "members", "found"),
    [
        ('"gpt-4o"', "", {"gpt-4o"}),
        ("MODEL", '    companion object { const val MODEL = "gpt-4o" }', {"gpt-4o"}),
        ('"gpt-" + size', '    val size = "4o"', {"gpt-4o"}),
        ('"gpt-$size-${kind()}"', '    val size = "4.1"\n    fun kind() = "mini"', {"gpt-4.1-mini"}),
        ("pick()", '    fun pick(): String {\n        return "gpt-4o"\n    }', {"gpt-4o"}),
        ("pick(1)", '    fun pick(n: Int) = when (n) {\n        1 -> "o1"\n        else -> "o3"\n    }', {"o1", "o3"}),
        ("this.model", '    private val model: String\n    init {\n        model = "gpt-4o"\n    }', {"gpt-4o"}),
        ("model", '    val model by lazy { "gpt-4o" }', {"gpt-4o"}),
        ("model", '    val model: String get() = "gpt-4o"', {"gpt-4o"}),
        ("Names.BIG", '    object Names { const val BIG = "gpt-4o" }', {"gpt-4o"}),
        ('sizes["big"]!!', '    val sizes = mapOf("big" to "gpt-4o", "small" to "o3")', {"gpt-4o"}),
        ("sizes[1]", '    val sizes = listOf("gpt-4o", "o3")', {"o3"}),
        ('System.getenv("MODEL") ?: "o3"', "", {"gpt-4.1-nano", "o3"}),
        ('System.getenv()["MODEL"]!!', "", {"gpt-4.1-nano"}),
        ("model", '    @Value("\\${app.model:gpt-4o}") lateinit var model: String', {"gpt-4o"}),
        ('"gpt-4o".mini()', '    fun String.mini() = "$this-mini"', {"gpt-4o-mini"}),
        ("question", "", set()),
    ],
)  # fmt: skip
def test_a_model_named_in_many_ways(see, model, members, found):
    assert see({"Chat.kt": chat(model, members)}, {"MODEL": "gpt-4.1-nano"}).names("model") == found


def test_constants_of_other_files_packages_and_java(see):
    seen = see(
        {
            "src/main/kotlin/Chat.kt": chat("BIG", imports="import com.acme.config.BIG"),
            "src/main/kotlin/Other.kt": chat("SMALL").replace("class Chat", "class Other"),
            "src/main/kotlin/Third.kt": chat("N.OLD", imports="import com.acme.config.Names as N").replace(
                "Chat(", "T("
            ),
            "src/main/kotlin/Beside.kt": 'package com.acme.app\n\nconst val SMALL = "o3"\n',
            "src/main/kotlin/Config.kt": 'package com.acme.config\n\nconst val BIG = "gpt-4o"\n',
            "src/main/java/com/acme/config/Names.java": (
                'package com.acme.config;\npublic class Names { public static final String OLD = "gpt-4"; }'
            ),
        }
    )
    assert seen.names("model") == {"gpt-4o", "o3", "gpt-4"}


def test_koog_agents_with_tools_of_three_kinds_and_another_agent(see):
    seen = see(
        {
            "Agents.kt": '''package bank

import ai.koog.agents.core.agent.AIAgent
import ai.koog.agents.core.agent.asTool
import ai.koog.agents.core.tools.SimpleTool
import ai.koog.agents.core.tools.ToolDescriptor
import ai.koog.agents.core.tools.ToolRegistry
import ai.koog.agents.core.tools.annotations.Tool
import ai.koog.agents.core.tools.reflect.ToolSet
import ai.koog.agents.core.tools.reflect.asTools
import ai.koog.agents.ext.tool.AskUser
import ai.koog.prompt.executor.clients.anthropic.AnthropicModels
import ai.koog.prompt.executor.clients.openai.OpenAIModels
import ai.koog.prompt.executor.llms.all.simpleOpenAIExecutor

class Transfers : ToolSet {
    @Tool
    fun transfer(to: String) = to

    fun unrelated() = ""
}

object Clock : SimpleTool<Clock.Args>() {
    override val descriptor = ToolDescriptor(name = "clock", description = "tells the time")
    override suspend fun execute(args: Args): String = java.io.File(args.path).readText()
}

val SYSTEM = """
    You are a clerk of a bank.
    Never give advice on investments.
""".trimIndent()

fun main() {
    val clerk = AIAgent(
        promptExecutor = simpleOpenAIExecutor(key),
        llmModel = OpenAIModels.Chat.GPT4o,
        systemPrompt = SYSTEM,
        toolRegistry = ToolRegistry {
            tool(AskUser)
            tool(Clock)
            tools(Transfers().asTools())
        },
    )
    val chief = AIAgent(
        executor = simpleOpenAIExecutor(key),
        llmModel = AnthropicModels.Sonnet_4,
        toolRegistry = ToolRegistry { tool(clerk.asTool("asks the clerk", name = "clerk")) },
    )
}
'''
        }
    )
    assert seen.names("agent") == {"clerk", "chief"}
    assert seen.links("uses_tool") == {("clerk", "uses_tool", tool) for tool in ("AskUser", "clock", "transfer")}
    assert seen.links("uses_model") >= {("clerk", "uses_model", "gpt-4o"), ("chief", "uses_model", "claude-sonnet-4-0")}
    assert seen.links("delegates_to") == {("chief", "delegates_to", "clerk")}
    assert seen.links("instructed_by") == {("clerk", "instructed_by", "SYSTEM")}
    assert "openai" in seen.names("provider")


def test_spring_ai_and_langchain4j_from_kotlin(see):
    seen = see(
        {
            "Chat.kt": """package shop

import dev.langchain4j.model.openai.OpenAiChatModel
import dev.langchain4j.service.AiServices
import org.springframework.ai.chat.client.ChatClient
import org.springframework.ai.tool.annotation.Tool

class ShopTools {
    @Tool(description = "lists orders")
    fun listOrders(): String = ""
}

class Chat(builder: ChatClient.Builder, tools: ShopTools) {
    private val client = builder
        .defaultSystem("You are a friendly assistant of the shop.")
        .defaultTools(tools)
        .build()
}

interface Clerk { fun chat(question: String): String }

val model = OpenAiChatModel.builder().modelName("gpt-4o").build()
val clerk = AiServices.builder(Clerk::class.java).chatModel(model).build()
"""
        }
    )
    assert seen.links("uses_tool") == {("app", "uses_tool", "listOrders")}
    assert ("clerk", "uses_model", "gpt-4o") in seen.links("uses_model")
    assert len(seen.names("prompt")) == 1


def test_an_mcp_server_in_a_block_and_in_functions_on_it(see):
    seen = see(
        {
            "Server.kt": """package weather

import io.modelcontextprotocol.kotlin.sdk.server.Server
import io.modelcontextprotocol.kotlin.sdk.types.Implementation

fun weather() = Server(Implementation(name = "weather", version = "1"), options).apply {
    addTool(name = "get_alerts", description = "alerts") { request -> result(request) }
    addPrompt(name = "ask", description = "asks") { prompt() }
}
"""
        }
    )
    assert seen.links("exposes_tool") == {("weather", "exposes_tool", "get_alerts")}
    assert seen.names("prompt") == {"ask"}


def test_requests_written_as_blocks(see):
    seen = see(
        {
            "Chat.kt": """import com.aallam.openai.api.chat.chatCompletionRequest
import com.aallam.openai.api.model.ModelId
import com.aallam.openai.client.OpenAI

suspend fun ask(openAI: OpenAI) = openAI.chatCompletion(chatCompletionRequest {
    model = ModelId("gpt-4.1")
    messages {
        system { content = "You are a clerk of the town hall." }
        user { content = "hi" }
    }
})
"""
        }
    )
    assert seen.names("model") == {"gpt-4.1"}
    assert len(seen.links("instructed_by")) == 1


@pytest.mark.parametrize(
    "code",
    [
        'import com.acme.houses.AIAgent\nval a = AIAgent(llmModel = "decoy", systemPrompt = "You sell houses.")\n',
        'import com.aallam.openai.client.OpenAI\n// openAI.chat(ModelId("gpt-4-32k"))\n/* ModelId("gpt-4") */\n',
        'import com.acme.Server\nfun f(s: Server) {\n    s.addTool(name = "saw") { it }\n}\n',
    ],
)
def test_what_only_looks_like_it_is_silent(see, code):
    seen = see({"A.kt": code})
    assert not seen.names("model") and not seen.names("agent") and not seen.names("tool") and not seen.names("prompt")


def test_tests_and_samples_say_so(see):
    seen = see({"src/test/kotlin/ChatTest.kt": chat('"gpt-4o"'), "samples/Chat.kt": chat('"o3"')})
    assert {asset.name: asset.status for asset in seen.graph.of_kind("model")} == {"gpt-4o": "test", "o3": "example"}


def test_classes_on_one_line_do_not_hide_what_follows(see):
    code = 'object Names { const val BIG = "gpt-4o" }\n\nclass X { companion object { val A = 1 } }\n'
    value, broken = language("kotlin").read((chat("Names.BIG") + code).encode(), "A.kt")
    assert broken == 0 and len(value["scopes"]) > 5
    assert see({"A.kt": chat("Names.BIG") + code}).names("model") == {"gpt-4o"}


def test_deep_nesting_costs_no_stack():
    for opening, closing in ("()", "[]"):
        value, _ = language("kotlin").read(f"val x = {opening * 10_000}1{closing * 10_000}".encode(), "A.kt")
        assert value["language"] == "kotlin"
    chain = b"val x = a" + b".b(1)" * 5_000
    assert language("kotlin").read(chain, "A.kt")[0]["expressions"]


def test_damaged_files_are_read_as_far_as_they_go():
    whole, chance = chat('"gpt-4o"', '    val size = """\n  a $b ${c} \n"""').encode(), random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        value, broken = language("kotlin").read(bytes(data), "Chat.kt")
        assert value["package"] is not None and broken >= 0
