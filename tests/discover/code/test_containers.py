"""A model that a container registers reaches the class that asks for it."""

from penstock.discover.collector import COLLECTORS, JOINERS, Fact, File, Source
from penstock.discover.infra import spring  # noqa: F401  reads the properties
from penstock.graph.merge import merge

PROGRAM = """using Microsoft.Extensions.AI;
using OpenAI;
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddChatClient(new OpenAIClient(key).GetChatClient("gpt-4o").AsIChatClient());
"""
CLERK = """using Microsoft.Extensions.AI;
using Microsoft.Agents.AI;
namespace Shop;
public class Clerk(IChatClient client) {
  AIAgent Build() => new ChatClientAgent(client, instructions: "You are a clerk.", name: "clerk");
}
"""
KERNEL = """using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Agents;
namespace Shop;
public class Accounts { [KernelFunction] public decimal Balance(string iban) => 0m; }
public class Teller {
  private readonly Kernel _kernel;
  public Teller(Kernel kernel) { _kernel = kernel; _kernel.Plugins.AddFromType<Accounts>(); }
  public ChatCompletionAgent Build() => new() { Name = "teller", Kernel = _kernel };
}
"""


def test_a_registered_client_is_the_model_of_the_agent_that_is_given_one(see):
    seen = see({"Program.cs": PROGRAM, "Clerk.cs": CLERK})
    assert seen.links("uses_model") >= {("clerk", "uses_model", "gpt-4o")}


def test_a_project_registers_for_itself(see):
    files = {
        f"{name}/{path}": text.replace("gpt-4o", model).replace("clerk", name)
        for name, model in (("a", "gpt-4o"), ("b", "gpt-5"))
        for path, text in (("App.csproj", "<Project/>"), ("Program.cs", PROGRAM), ("Clerk.cs", CLERK))
    }
    links = {link for link in see(files).links("uses_model") if link[0] in "ab"}
    assert links == {("a", "uses_model", "gpt-4o"), ("b", "uses_model", "gpt-5")}


def test_an_interface_of_ones_own_is_handed_no_model(see):
    own = CLERK.replace("using Microsoft.Extensions.AI;\n", "") + "public interface IChatClient {}"
    assert not {link for link in see({"Program.cs": PROGRAM, "Clerk.cs": own}).links() if link[0] == "clerk"} & {
        ("clerk", "uses_model", "gpt-4o")
    }


def test_an_injected_kernel_brings_its_models_and_plugins(see):
    program = 'using Microsoft.SemanticKernel;\nbuilder.Services.AddKernel().AddOpenAIChatCompletion("gpt-4o", key);'
    links = see({"Program.cs": program, "Teller.cs": KERNEL}).links()
    assert {("teller", "uses_model", "gpt-4o"), ("teller", "uses_tool", "Balance")} <= links


def test_two_kernels_keep_their_models_apart(see):
    code = """using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Agents;
var first = Kernel.CreateBuilder();
first.AddOpenAIChatCompletion("gpt-4o", key);
var second = Kernel.CreateBuilder();
second.AddOpenAIChatCompletion("gpt-5", key);
var a = new ChatCompletionAgent { Name = "a", Kernel = first.Build() };
var b = new ChatCompletionAgent { Name = "b", Kernel = second.Build() };
"""
    links = {link for link in see({"Program.cs": code}).links("uses_model") if link[0] in "ab"}
    assert links == {("a", "uses_model", "gpt-4o"), ("b", "uses_model", "gpt-5")}


SERVICE = """package a;
import dev.langchain4j.service.SystemMessage;
import {};
{}
public interface Clerk {{ @SystemMessage("You are a clerk of a car rental.") String ask(String q); }}
"""
TOOLS = """package a;
import dev.langchain4j.agent.tool.Tool;
public class Bookings { @Tool("Cancel a booking") public void cancelBooking(long id) {} }
"""


def scanned(files):
    """The links of a source that is read with its build files and properties."""
    facts, found = {}, []
    for path, text in files.items():
        name = path.rpartition("/")[2]
        for collector in COLLECTORS.values():
            if collector.name.startswith(("code.", "infra.spring")) and any(_reads(name, p) for p in collector.reads):
                for each in collector.run(File(path, text.encode(), "repo:a/b")):
                    facts.setdefault(each.kind, []).append(each) if isinstance(each, Fact) else found.append(each)
    source = Source("repo:a/b", "a/b", tuple(files), {k: tuple(v) for k, v in facts.items()}, {})
    found += [each for name in ("code", "code.spring-ai") for each in JOINERS[name].run(source)]
    graph = merge([each for each in found if hasattr(each, "subject")])
    names = {asset.id: asset.name for asset in graph.assets.values()}
    return {(names[r.source], r.verb, names[r.target]) for r in graph.relations}


def _reads(name, pattern):
    import fnmatch

    return fnmatch.fnmatch(name, pattern)


def test_a_service_of_quarkus_has_the_model_of_its_properties_and_the_tools_it_names():
    links = scanned({
        "pom.xml": "<project><dependencies><dependency><groupId>io.quarkiverse.langchain4j</groupId>"
        "<artifactId>quarkus-langchain4j-openai</artifactId></dependency></dependencies></project>",
        "application.properties": "quarkus.langchain4j.openai.chat-model.model-name=gpt-4.1-mini\n",
        "Clerk.java": SERVICE.format(
            "io.quarkiverse.langchain4j.RegisterAiService", "@RegisterAiService(tools = Bookings.class)"
        ),
        "Bookings.java": TOOLS,
    })  # fmt: skip
    assert {("Clerk", "uses_model", "gpt-4.1-mini"), ("Clerk", "uses_tool", "cancelBooking")} <= links
    assert any(link[:2] == ("Clerk", "instructed_by") for link in links)


def test_a_service_of_spring_has_all_tools_around_and_a_store_by_its_starter():
    links = scanned({
        "build.gradle": "dependencies {\n"
        "implementation 'dev.langchain4j:langchain4j-open-ai-spring-boot-starter:1.1.0'\n"
        "implementation 'org.springframework.ai:spring-ai-starter-vector-store-pgvector:1.0.0' }",
        "application.yml": "langchain4j:\n  open-ai:\n    chat-model:\n      model-name: gpt-4o\n"
        "    embedding-model:\n      model-name: text-embedding-3-small\n",
        "Clerk.java": SERVICE.format("dev.langchain4j.service.spring.AiService", "@AiService"),
        "Bookings.java": TOOLS,
    })  # fmt: skip
    assert {("Clerk", "uses_model", "gpt-4o"), ("Clerk", "uses_tool", "cancelBooking")} <= links
    assert ("pgvector", "embedded_by", "text-embedding-3-small") in links
    assert ("Clerk", "uses_model", "text-embedding-3-small") not in links


def test_properties_without_the_library_that_reads_them_name_no_model():
    properties = {"application.properties": "quarkus.langchain4j.openai.chat-model.model-name=gpt-4.1-mini\n"}
    assert not [link for link in scanned(properties) if link[1] == "uses_model"]
