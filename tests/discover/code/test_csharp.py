"""C# as it is written: values that are followed across classes, projects and settings, and each SDK."""

import random

import pytest

from penstock.discover.code import appsettings
from penstock.discover.code.language import language
from penstock.discover.collector import Fact, File


def chat(model: str, members: str = "", usings: str = "") -> str:
    return (
        f"using OpenAI.Chat;\n{usings}\nnamespace Acme.App;\n\npublic class Chat\n{{\n{members}\n"
        f"    public void Ask(string question)\n    {{\n        var chat = new ChatClient({model}, key);\n    }}\n}}\n"
    )


@pytest.mark.parametrize(
    ("model", "members", "found"),
    [
        ('"gpt-4o"', "", {"gpt-4o"}),
        ("Model", 'private const string Model = "gpt-4o";', {"gpt-4o"}),
        ('"gpt-" + Size', 'static readonly string Size = "4o";', {"gpt-4o"}),
        ('$"gpt-{Size}-mini"', 'const string Size = "4.1";', {"gpt-4.1-mini"}),
        ('string.Format("gpt-{0}-{1}", "4.1", "mini")', "", {"gpt-4.1-mini"}),
        ("Pick()", 'string Pick() => "gpt-4o";', {"gpt-4o"}),
        ("Pick(2)", 'string Pick(int n) => n switch { 1 => "gpt-4o", _ => "o3" };', {"gpt-4o", "o3"}),
        ("_model", 'private readonly string _model;\n    public Chat() { _model = "gpt-4o"; }', {"gpt-4o"}),
        ("this.Name", 'public string Name { get; set; } = "gpt-4o";', {"gpt-4o"}),
        ("Name", 'public string Name { get { return "gpt-4o"; } }', {"gpt-4o"}),
        ("Names.Big", 'static class Names { public const string Big = "gpt-4o"; }', {"gpt-4o"}),
        ("sizes[0]", 'string[] sizes = ["gpt-4o", "o3"];', {"gpt-4o"}),
        ('Environment.GetEnvironmentVariable("MODEL") ?? "o3"', "", {"gpt-4.1-nano", "o3"}),
        ('config["MODEL"]!', "private readonly IConfiguration config;", {"gpt-4.1-nano"}),
        ('config.GetSection("AI").GetValue<string>("Model", "o3")', "IConfiguration config;", {"gpt-5", "o3"}),
        ("question", "", set()),
    ],
)  # fmt: skip
def test_a_model_named_in_many_ways(see, model, members, found):
    seen = see({"Chat.cs": chat(model, members)}, {"MODEL": "gpt-4.1-nano", "AI__Model": "gpt-5"})
    assert seen.names("model") == found


def test_constants_of_other_namespaces_and_aliases(see):
    seen = see(
        {
            "src/Chat.cs": chat("Names.Big", usings="using Acme.Config;"),
            "src/Other.cs": chat("Beside.Small").replace("class Chat", "class Other"),
            "src/Third.cs": chat("N.Old", usings="using N = Acme.Config.Names;").replace("class Chat", "class Third"),
            "src/Fourth.cs": "namespace Acme.App;\nvar c = new OpenAI.Chat.ChatClient(Outer.Top, key);\n",
            "src/Config/Names.cs": (
                'namespace Acme.Config { public static class Names { public const string Big = "gpt-4o", Old = "o1"; }}'
            ),
            "src/Beside.cs": 'namespace Acme.App;\nstatic class Beside { internal const string Small = "o3"; }',
            "src/Outer.cs": 'namespace Acme;\ninternal static class Outer { internal const string Top = "gpt-5"; }',
        }
    )  # fmt: skip
    assert seen.names("model") == {"gpt-4o", "o1", "o3", "gpt-5"}


OPTIONS = {
    "App/App.csproj": '<Project><ItemGroup><PackageReference Include="OpenAI" /></ItemGroup></Project>',
    "App/GlobalUsings.cs": "global using OpenAI;\nglobal using OpenAI.Chat;\n",
    "App/AiOptions.cs": """namespace App;
public sealed class AiOptions
{
    public const string Section = "Ai";
    public string Model { get; set; } = "gpt-4o";
    public EmbeddingOptions Embedding { get; set; } = new();
}
public sealed class EmbeddingOptions { public string Model { get; set; } }
""",
    "App/Program.cs": """using App;
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddOptions<AiOptions>().Bind(builder.Configuration.GetSection(AiOptions.Section)).ValidateOnStart();
builder.Services.AddSingleton<Answerer>();
""",
    "App/Answerer.cs": """using OpenAI.Embeddings;
namespace App;
public class Answerer(IOptions<AiOptions> options, OpenAIClient client)
{
    private readonly ChatClient chat = client.GetChatClient(options.Value.Model);
    private readonly EmbeddingClient embedding = client.GetEmbeddingClient(options.Value.Embedding.Model);
}
""",
}


def test_options_are_read_from_the_settings_they_are_bound_to(see):
    seen = see(OPTIONS, {"Ai:Model": "gpt-4.1", "Ai__Embedding__Model": "text-embedding-3-large"})
    assert seen.names("model") == {"gpt-4o", "gpt-4.1", "text-embedding-3-large"}
    assert "env Ai:Model" in seen.chain("model", "gpt-4.1")


def test_settings_files_keep_keys_and_lose_secrets():
    text = """{
  // what answers
  "OpenAI": { "Model": "gpt-4o", "ApiKey": "abc", "Tags": ["a", { "Name": "b" }], },
  "Url": "https://user:pw@host/x",
}"""
    found = list(appsettings.appsettings(File("appsettings.json", text.encode(), "repo:a/b")))
    assert {(f.kind, f.value["name"], f.value.get("value", "")) for f in found if isinstance(f, Fact)} == {
        ("env", "OpenAI:Model", "gpt-4o"),
        ("env_secret", "OpenAI:ApiKey", ""),
        ("env", "OpenAI:Tags:0", "a"),
        ("env", "OpenAI:Tags:1:Name", "b"),
        ("env", "Url", "https://host/x"),
    }
    launch = '{"profiles": {"https": {"environmentVariables": {"MODEL": "o3"}}}}'
    (fact,) = appsettings.appsettings(File("Properties/launchSettings.json", launch.encode(), "repo:a/b"))
    assert fact.value["name"] == "MODEL"


def test_an_agent_of_the_agent_framework_with_model_prompt_tools_and_another_agent(see):
    seen = see({"Program.cs": '''using Azure.AI.OpenAI;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
IChatClient chat = new AzureOpenAIClient(new Uri(endpoint), credential).GetChatClient("gpt-4o-mini").AsIChatClient();
AIAgent weather = chat.AsAIAgent(instructions: "You know the weather of every town.", name: "weather",
    tools: [AIFunctionFactory.Create(GetWeather)]);
var clerk = new ChatClientAgent(chat, new ChatClientAgentOptions
{
    Name = "clerk",
    ChatOptions = new() { Instructions = "You are a clerk of the town hall.", Tools = [weather.AsAIFunction()] },
});
static string GetWeather(string town) => new HttpClient().GetStringAsync(town).Result;
'''})  # fmt: skip
    assert seen.names("agent") == {"weather", "clerk"}
    assert seen.links("uses_model") >= {
        ("weather", "uses_model", "gpt-4o-mini"),
        ("clerk", "uses_model", "gpt-4o-mini"),
    }
    assert seen.links("uses_tool") == {("weather", "uses_tool", "GetWeather")}
    assert len(seen.links("instructed_by")) == 2
    assert seen.one("model", "gpt-4o-mini").props["provider"] == "azure-openai"


def test_semantic_kernel_with_plugins_and_prompts(see):
    seen = see({
        "Program.cs": """using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
var builder = Kernel.CreateBuilder().AddOpenAIChatCompletion("gpt-4o", key);
builder.Plugins.AddFromType<LightsPlugin>("Lights");
var kernel = builder.Build();
var history = new ChatHistory("You switch the lights of the house, and say which are on.");
history.AddSystemMessage("Answer in one line, whatever is asked.");
""",
        "LightsPlugin.cs": """using System.ComponentModel;
using Microsoft.SemanticKernel;
public class LightsPlugin
{
    [KernelFunction("get_lights")] public string Get() => "";
    [KernelFunction] public string Toggle(int id) => "";
    public string Unrelated() => "";
}
""",
    })  # fmt: skip
    assert seen.names("model") == {"gpt-4o"}
    assert seen.names("tool") == {"get_lights", "Toggle"}
    assert {tool for _, _, tool in seen.links("uses_tool")} == {"get_lights", "Toggle"}
    assert len(seen.names("prompt")) == 2


def test_an_mcp_server_offers_what_its_assembly_holds(see):
    seen = see({
        "Weather/Weather.csproj": '<Project><PackageReference Include="ModelContextProtocol" /></Project>',
        "Weather/Program.cs": """var builder = Host.CreateApplicationBuilder(args);
builder.Services.AddMcpServer(o => { o.ServerInfo = new() { Name = "weather", Version = "1" }; })
    .WithStdioServerTransport().WithToolsFromAssembly().WithPromptsFromAssembly();
""",
        "Weather/Tools.cs": """using ModelContextProtocol.Server;
namespace Weather;
[McpServerToolType] static class Tools { [McpServerTool(Name = "get_alerts")] public static string Alerts() => ""; }
[McpServerPromptType] static class Prompts { [McpServerPrompt] public static string Ask() => "Tell the weather."; }
""",
        "Other/Tools.cs": """using ModelContextProtocol.Server;
public static class Others { [McpServerTool(Name = "elsewhere")] public static string F() => ""; }
""",
    })  # fmt: skip
    assert seen.links("exposes_tool") == {("weather", "exposes_tool", "get_alerts")}
    assert seen.links("instructed_by") == {("weather", "instructed_by", "Ask")}


@pytest.mark.parametrize(
    ("usings", "code", "found"),
    [
        ("OllamaSharp", 'var c = new OllamaApiClient(new Uri("http://gpu:11434"), "llama3.2");', {"llama3.2"}),
        (
            "Amazon.BedrockRuntime",
            'void F(IAmazonBedrockRuntime c) => c.ConverseAsync(new() { ModelId = "amazon.nova-lite-v1:0" });',
            {"amazon.nova-lite-v1:0"},
        ),
        (
            "Google.GenAI",
            'var r = new Client().Models.GenerateContentAsync(model: "gemini-2.5-flash", contents: "hi");',
            {"gemini-2.5-flash"},
        ),
        (
            "OpenAI.Responses",
            'void F(ResponsesClient c) => c.CreateResponseAsync(new() { Model = "gpt-5.1" });',
            {"gpt-5.1"},
        ),
        (
            "Azure.AI.Inference",
            'void F(ChatCompletionsClient c) => c.CompleteAsync(new ChatCompletionsOptions { Model = "phi-4" });',
            {"phi-4"},
        ),
        (
            "Microsoft.Extensions.AI",
            'void F(IChatClient c) => c.GetResponseAsync("hi", new ChatOptions { ModelId = "o3" });',
            {"o3"},
        ),
        (
            "Azure.AI.Agents.Persistent",
            'void F(PersistentAgentsClient c) => c.Administration.CreateAgentAsync(model: "gpt-4o", name: "clerk");',
            {"gpt-4o"},
        ),
        ("Acme.Houses", 'var a = new Agent { Name = "decoy", Model = "decoy-model" }; new ChatClient("o3");', set()),
        (
            "OpenAI.Chat",
            '// new ChatClient("gpt-4-32k", key);\n/* new ChatClient("gpt-4") */ var s = "new ChatClient(1)";',
            set(),
        ),
    ],
)
def test_each_sdk_and_what_only_looks_like_one(see, usings, code, found):
    seen = see({"A.cs": f"using {usings};\nusing System;\n{code}\n"})
    assert seen.names("model") == found
    assert "decoy" not in seen.names("agent")


def test_tests_and_samples_say_so(see):
    seen = see({"tests/App.Tests/ChatTests.cs": chat('"gpt-4o"'), "samples/Chat.cs": chat('"o3"')})
    assert {asset.name: asset.status for asset in seen.graph.of_kind("model")} == {"gpt-4o": "test", "o3": "example"}


def test_deep_nesting_costs_no_stack():
    for opening, closing in ("()", "[]"):
        code = f"class A {{ int F() {{ return {opening * 10_000}1{closing * 10_000}; }} }}".encode()
        value, _ = language("csharp").read(code, "A.cs")
        assert value["language"] == "csharp"
    chain = b"class A { object F() => a" + b".B(1)" * 5_000 + b"; }"
    assert language("csharp").read(chain, "A.cs")[0]["expressions"]


def test_damaged_files_are_read_as_far_as_they_go():
    whole, chance = chat('"gpt-4o"').encode() + OPTIONS["App/Answerer.cs"].encode(), random.Random(7)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        value, broken = language("csharp").read(bytes(data), "Chat.cs")
        assert value["package"] is not None and broken >= 0
