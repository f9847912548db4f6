"""Java as it is written: values that are followed across classes and packages, and each SDK."""

import random

import pytest

from penstock.discover.code import spring_ai
from penstock.discover.code.language import language
from penstock.discover.collector import Fact, File, Source
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Observation

MODEL = "dev.langchain4j.model.openai.OpenAiChatModel"


def chat(model: str, members: str = "", imports: str = "") -> str:
    return (
        f"package com.acme.app;\nimport {MODEL};\n{imports}\nclass Chat {{\n{members}\n"
        f"  void ask(String q) {{\n    var m = OpenAiChatModel.builder().apiKey(key()).modelName({model}).build();\n"
        "  }\n}\n"
    )


@pytest.mark.parametrize(
    ("model", "members", "found"),
    [
        ('"gpt-4o"', "", {"gpt-4o"}),
        ("MODEL", 'private static final String MODEL = "gpt-4o";', {"gpt-4o"}),
        ('"gpt-" + SIZE', 'static final String SIZE = "4o";', {"gpt-4o"}),
        ('String.format("gpt-%s-%s", "4.1", "mini")', "", {"gpt-4.1-mini"}),
        ('"gpt-%s".formatted("4o")', "", {"gpt-4o"}),
        ("pick()", 'String pick() { return "gpt-4o"; }', {"gpt-4o"}),
        ("this.model", 'private final String model;\n  Chat() { this.model = "gpt-4o"; }', {"gpt-4o"}),
        ("model", 'private final String model;\n  Chat() { model = "gpt-4o"; }', {"gpt-4o"}),
        ("Names.BIG", 'static class Names { static final String BIG = "gpt-4o"; }', {"gpt-4o"}),
        ('System.getenv("MODEL")', "", {"gpt-4.1-nano"}),
        ("model", '@Value("${app.model:gpt-4o}") String model;', {"gpt-4o"}),
        ("model", "String model;\n  Chat(@Value(\"${MODEL:gpt-4o}\") String model) { this.model = model; }",
         {"gpt-4o", "gpt-4.1-nano"}),
        ("q", "", set()),
    ],
)  # fmt: skip
def test_a_model_named_in_many_ways(see, model, members, found):
    assert see({"Chat.java": chat(model, members)}, {"MODEL": "gpt-4.1-nano"}).names("model") == found


def test_constants_of_other_classes_and_packages(see):
    seen = see(
        {
            "src/main/java/com/acme/app/Chat.java": chat(
                "Names.BIG", "", "import com.acme.config.Names;\nimport static com.acme.config.Names.SMALL;"
            ),
            "src/main/java/com/acme/app/Other.java": chat("Local.MODEL").replace("class Chat", "class Other"),
            "src/main/java/com/acme/app/Third.java": chat(
                "SMALL", "", "import static com.acme.config.Names.SMALL;"
            ).replace("class Chat", "class Third"),
            "src/main/java/com/acme/app/Local.java": (
                'package com.acme.app;\ninterface Local { String MODEL = "gpt-4.1"; }'
            ),
            "src/main/java/com/acme/config/Names.java": (
                "package com.acme.config;\npublic class Names {\n"
                '  public static final String BIG = "gpt-4o", SMALL = "o3"; }'
            ),
        }
    )
    assert seen.names("model") == {"gpt-4o", "gpt-4.1", "o3"}


POM = """<project><dependencies><dependency>
<groupId>org.springframework.ai</groupId>
<artifactId>spring-ai-starter-model-openai</artifactId>
</dependency></dependencies></project>"""

SPRING = {
    "shop/pom.xml": POM,
    "shop/src/main/java/com/acme/Chat.java": '''package com.acme;
import org.springframework.ai.chat.client.ChatClient;
@RestController
class Chat {
  private final ChatClient chatClient;
  Chat(ChatClient.Builder builder, ShopTools shopTools) {
    this.chatClient = builder
        .defaultSystem("""
            You are a friendly shop assistant.
            Answer in a professional manner.
            """)
        .defaultTools(shopTools)
        .build();
  }
  String ask(String q) { return this.chatClient.prompt().system("Only answer in French.").user(q).call().content(); }
}
''',
    "shop/src/main/java/com/acme/ShopTools.java": """package com.acme;
import org.springframework.ai.tool.annotation.Tool;
class ShopTools {
  private final Orders orders;
  @Tool(description = "lists orders") String listOrders() { return orders.all(); }
  @Tool(name = "cancel_order", description = "cancels") String cancel(int id) { return ""; }
  String unrelated() { return ""; }
}
""",
    "shop/src/main/java/com/acme/Beans.java": """package com.acme;
import org.springframework.ai.vectorstore.SimpleVectorStore;
import org.springframework.ai.vectorstore.VectorStore;
class Beans { VectorStore store(EmbeddingModel m) { return SimpleVectorStore.builder(m).build(); } }
""",
}


def test_spring_ai_with_prompts_tools_and_store(see):
    seen = see(SPRING)
    assert seen.names("tool") == {"listOrders", "cancel_order"}
    assert seen.links("uses_tool") == {("app", "uses_tool", "listOrders"), ("app", "uses_tool", "cancel_order")}
    assert seen.names("vector_store") == {"SimpleVectorStore"}
    assert len(seen.names("prompt")) == 2
    assert seen.names("framework") == {"spring-ai"}
    assert seen.names("provider") == {"openai"}


@pytest.mark.parametrize(("starter", "found"), [("openai", {"gpt-4o-mini"}), ("azure-openai", {"gpt-4o"})])
def test_a_configured_model_counts_where_its_starter_is_a_dependency(starter, found):
    settings = {
        "spring.ai.openai.chat.options.model": "gpt-4o-mini",
        "spring.ai.azure.openai.chat.options.deployment-name": "gpt-4o",
        "spring.application.name": "shop",
    }
    place = "shop/src/main/resources/application.yml"
    rows = [Fact("env", place, {"name": n, "value": v, "line": i}) for i, (n, v) in enumerate(settings.items(), 1)]
    pom = File("shop/pom.xml", POM.replace("model-openai", f"model-{starter}").encode(), "repo:team/shop")
    facts = {"env": tuple(rows), "spring_starters": tuple(spring_ai.starters(pom))}
    source = Source("repo:team/shop", "team/shop", (place,), facts, {})
    graph = merge([o for o in spring_ai.spring_ai(source) if isinstance(o, Observation)])
    assert {asset.name for asset in graph.of_kind("model")} == found
    assert {r.verb for r in graph.relations} == {"uses_model"}


def test_langchain4j_services_tools_and_stores(see):
    seen = see(
        {
            "A.java": """package a;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.SystemMessage;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.store.embedding.EmbeddingStoreIngestor;
import dev.langchain4j.store.embedding.chroma.ChromaEmbeddingStore;
class A {
  interface Assistant { @SystemMessage({"You are a polite clerk of the bank.", "Be brief."}) String chat(String q); }
  static class Calculator { @Tool("adds two numbers") int add(int a, int b) { return a + b; } }
  void main() {
    var model = OpenAiChatModel.builder().modelName("gpt-4o-mini").baseUrl("http://proxy:4000/v1").build();
    var embedding = OpenAiEmbeddingModel.builder().modelName("text-embedding-3-small").build();
    var store = ChromaEmbeddingStore.builder().baseUrl("http://chroma:8000").build();
    EmbeddingStoreIngestor.builder().embeddingModel(embedding).embeddingStore(store).build();
    Assistant assistant = AiServices.builder(Assistant.class).chatModel(model).tools(new Calculator()).build();
  }
}
"""
        }
    )
    assert ("assistant", "uses_model", "gpt-4o-mini") in seen.links()
    assert ("assistant", "uses_tool", "add") in seen.links()
    assert ("chroma", "embedded_by", "text-embedding-3-small") in seen.links()
    assert seen.one("model", "gpt-4o-mini").props["provider"] == "self-hosted"
    assert len(seen.names("prompt")) == 1


def test_vendors_own_clients(see):
    seen = see(
        {
            "O.java": """package a;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.ChatModel;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
class O { void main() {
  OpenAIClient client = OpenAIOkHttpClient.fromEnv();
  ChatCompletionCreateParams params = ChatCompletionCreateParams.builder()
      .addSystemMessage("You are a careful clerk.").addUserMessage("hi").model(ChatModel.GPT_4O_MINI).build();
  client.chat().completions().create(params);
} }
""",
            "C.java": """package a;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.Model;
class C { void main() {
  var client = AnthropicOkHttpClient.builder().apiKey("k").build();
  var params = MessageCreateParams.builder().model(Model.CLAUDE_SONNET_4_5).system("You are a clerk.");
  client.messages().create(params.build());
} }
""",
            "B.java": """package a;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
class B { void main() {
  var client = BedrockRuntimeClient.builder().build();
  client.converse(ConverseRequest.builder().modelId("amazon.nova-lite-v1:0").build());
} }
""",
            "G.java": """package a;
import com.google.genai.Client;
class G { void main() {
  Client client = Client.builder().apiKey("k").build();
  client.models.generateContent("gemini-2.5-flash", "hi", null);
} }
""",
            "M.java": """package a;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures;
import io.modelcontextprotocol.spec.McpSchema;
class M { void main() {
  var server = McpServer.sync(transport).serverInfo("demo", "1.0.0").build();
  server.addTool(new McpServerFeatures.SyncToolSpecification(new McpSchema.Tool("echo", "d", schema), (x, r) -> r));
} }
""",
        }
    )
    assert seen.names("model") == {"gpt-4o-mini", "claude-sonnet-4-5", "amazon.nova-lite-v1:0", "gemini-2.5-flash"}
    assert seen.names("provider") == {"openai", "anthropic", "aws-bedrock", "google-gemini"}
    assert len(list(seen.graph.of_kind("prompt"))) == 2
    assert seen.links("exposes_tool") == {("demo", "exposes_tool", "echo")}


def test_look_alikes_are_silent(see):
    text = "\n".join(SPRING.values()).replace("org.springframework.ai", "com.acme.ai")
    assert see({"A.java": text, "B.java": chat('"gpt-4o"').replace("dev.langchain4j", "com.acme")}).observations == []


DEEP = 10_000


@pytest.mark.parametrize(
    "text",
    [
        "Object x = " + "(" * DEEP + "1" + ")" * DEEP + ";",
        "Object x = " + "f(" * DEEP + "1" + ")" * DEEP + ";",
        "Object x = " + '"a" + ' * DEEP + '"b";',
        "Object x = a" + ".b()" * DEEP + ";",
        "Object x = a" + ".b" * DEEP + ";",
        "class A { " * DEEP,
        "Object x = " + "new A(" * DEEP,
        "@A(" * DEEP,
        "void f() { " + "if (x) { " * DEEP,
        "java" + ".a" * DEEP + " x;",
    ],
)
def test_deep_java_does_not_crash(see, text):
    see({"A.java": chat("x", text)})


def test_a_part_that_does_not_parse_is_said_and_the_rest_is_kept(see):
    seen = see({"A.java": chat('"gpt-4o"') + "\nclass {{ int = ; \n"})
    assert seen.names("model") == {"gpt-4o"}
    assert [u.where.partition(":")[0] for u in seen.unseen] == ["A.java"]
    assert seen.complete == set()


SEEDS = {
    "A.java": "\n".join(SPRING.values()) + chat('String.format("gpt-%s", this.size)', '@Value("${A:b}") String size;'),
    "a.go": (
        'package a\nimport "github.com/openai/openai-go"\ntype S struct { *openai.Client; m string `env:"X"` }\n'
        "func (s *S) F(a, b string, o ...O) (string, error) {\n c := openai.NewClient(WithX(a), o...)\n"
        ' s.m = fmt.Sprintf("%s-%d", a, 1)\n c.Chat.Completions.New(x, P{Model: s.m, T: []T{{N: "x"}}})\n'
        " return a, nil\n}\n"
    ),
}


@pytest.mark.slow
def test_damaged_files_never_raise(see):
    chance = random.Random(20261123)
    pieces = [b"(", b"[", b"{", b'"""', b"'", b"\n", b"\\", b"`", b"<", b"@", b".", b"=", b"\0", b"\xff"]
    for _ in range(300):
        damaged = {}
        for path, text in SEEDS.items():
            data = bytearray(text.encode())
            for _ in range(chance.randint(0, 8)):
                at = chance.randrange(len(data))
                if chance.random() < 0.5:
                    del data[at : at + chance.randint(1, 20)]
                else:
                    data[at:at] = chance.choice(pieces)
                data = data or bytearray(b" ")
            damaged[path] = bytes(data)
        see(damaged)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [("go", "a.go"), ("java", "A.java")])
def test_four_megabytes_are_read(name, seed):
    text = SEEDS[seed].encode()
    value, _ = language(name).read(text * (4_000_000 // len(text)))
    assert len(value["expressions"]) >= 200_000
