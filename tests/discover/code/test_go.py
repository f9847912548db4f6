"""Go as it is written: values that are followed across the files of a package and between packages, and each SDK."""

import pytest

OPENAI = "github.com/openai/openai-go/v3"


def go(body: str, *imports: str, package: str = "main") -> str:
    lines = "".join(f"import {i if ' ' in i or i.startswith(chr(34)) else chr(34) + i + chr(34)}\n" for i in imports)
    return f"package {package}\n{lines}{body}\n"


def openai(model: str, before: str = "") -> str:
    return go(
        f"{before}\nfunc Ask(q string) {{\n\tclient := openai.NewClient()\n"
        f"\tclient.Chat.Completions.New(nil, openai.ChatCompletionNewParams{{Model: {model}}})\n}}",
        OPENAI, "os", "fmt", "cmp", "strings",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("model", "before", "found"),
    [
        ('"gpt-4o"', "", {"gpt-4o"}),
        ("openai.ChatModelGPT4oMini", "", {"gpt-4o-mini"}),
        ('openai.ChatModel("gpt-4.1")', "", {"gpt-4.1"}),
        ("Model", 'const (\n\tOther = "x"\n\tModel string = "gpt-4o"\n)', {"gpt-4o"}),
        ('"gpt-" + size', 'var size = "4o"', {"gpt-4o"}),
        ('fmt.Sprintf("gpt-%s-%s", size, "mini")', 'const size = "4.1"', {"gpt-4.1-mini"}),
        ('models["big"]', 'var models = map[string]string{"small": "gpt-4o-mini", "big": "gpt-4o"}', {"gpt-4o"}),
        ("settings.Model", 'type S struct{ Model string }\nvar settings = S{Model: "gpt-4o"}', {"gpt-4o"}),
        ("(&settings).Model", 'type S struct{ Model string }\nvar settings = &S{"", "x"}', set()),
        ("pick()", 'func pick() (string, error) { return "gpt-4o", nil }', {"gpt-4o"}),
        ("string(Big)", 'type Size string\nconst Big Size = "gpt-4o"', {"gpt-4o"}),
        ('Size("gpt-4o")', "type Size string", {"gpt-4o"}),
        ('strings.TrimSpace(" gpt-4o")', "", {"gpt-4o"}),
        ('os.Getenv("MODEL")', "", {"gpt-4.1-nano"}),
        ('cmp.Or(os.Getenv("NONE"), "gpt-4o")', "", {"gpt-4o"}),
        (
            'env("NONE", "gpt-4o")',
            "func env(name, other string) string {\n\tif v, ok := os.LookupEnv(name); ok {\n\t\treturn v\n\t}\n"
            "\treturn other\n}",
            {"gpt-4o"},
        ),
        ("q", "", set()),
    ],
)  # fmt: skip
def test_a_model_named_in_many_ways(see, model, before, found):
    seen = see({"main.go": openai(model, before)}, {"MODEL": "gpt-4.1-nano"})
    assert {model.name for model in seen.graph.of_kind("model") if model.status == "used"} == found


def test_a_request_with_its_prompt_tools_and_provider(see):
    seen = see(
        {
            "main.go": go(
                """
const rules = "You are a careful clerk."
func main() {
	client := openai.NewClient(option.WithAPIKey("k"))
	params := openai.ChatCompletionNewParams{
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(rules), openai.UserMessage("hi")},
		Tools: []openai.ChatCompletionToolParam{{Function: openai.FunctionDefinitionParam{Name: "get_weather"}}},
		Model: openai.ChatModelGPT4o,
	}
	client.Chat.Completions.New(ctx, params)
}""",
                OPENAI,
                OPENAI + "/option",
            )
        }
    )
    assert seen.names("model") == {"gpt-4o"}
    assert seen.names("provider") == {"openai"}
    assert seen.names("framework") == {"openai"}
    assert seen.names("prompt") == {"rules"}
    assert seen.links("uses_model", "uses_tool") == {
        ("app", "uses_model", "gpt-4o"),
        ("app", "uses_tool", "get_weather"),
    }


def test_a_client_of_an_own_endpoint_is_no_client_of_its_provider(see):
    seen = see(
        {
            "a.go": go(
                """
func main() {
	opts := []option.RequestOption{option.WithAPIKey("k")}
	opts = append(opts, option.WithBaseURL("http://vllm:8000/v1"))
	client := openai.NewClient(opts...)
	client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: "llama"})
}""",
                OPENAI,
                OPENAI + "/option",
            )
        }
    )
    assert seen.names("endpoint") == {"http://vllm:8000"}
    assert seen.one("model", "llama").props["provider"] == "self-hosted"
    assert seen.names("provider") == set()


def test_a_client_in_a_struct_is_followed_through_methods_in_other_files(see):
    seen = see(
        {
            "go.mod": "module example.com/shop\n\ngo 1.24\n",
            "main.go": go('func main() {\n\tc := llm.New("gpt-4o")\n\tc.Ask("hi")\n}', "example.com/shop/internal/llm"),
            "internal/llm/new.go": go(
                """
// New makes one.
func New(model string) *Client {
	client := openai.NewClient()
	return &Client{client: &client, model: model}
}
type Client struct {
	client *openai.Client
	model  string
}""",
                OPENAI,
                package="llm",
            ),
            "internal/llm/ask.go": go(
                """
func (c *Client) Ask(q string) {
	c.client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: c.model, Messages: messages(q)})
}
func messages(q string) []openai.ChatCompletionMessageParamUnion {
	return []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(System), openai.UserMessage(q)}
}""",
                OPENAI,
                package="llm",
            ),
            "internal/llm/prompt.go": "package llm\n\nconst System = `You are a shop assistant.`\n",
        }
    )
    assert seen.names("model") == {"gpt-4o"}
    assert seen.names("prompt") == {"System"}
    assert "model given to Client" in seen.chain("model", "gpt-4o")


def test_an_embedded_client_lends_its_methods(see):
    seen = see(
        {
            "a.go": go(
                """
type Client struct{ *anthropic.Client }
func (c *Client) Ask() {
	body := anthropic.MessageNewParams{
		System: []anthropic.TextBlockParam{{Text: "You are a careful clerk."}},
		Tools: []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "lookup"}}},
	}
	body.Model = anthropic.ModelClaudeSonnet4_5
	c.Messages.NewStreaming(ctx, body)
}""",
                "github.com/anthropics/anthropic-sdk-go",
            )
        }
    )
    assert seen.names("model") == {"claude-sonnet-4-5"}
    assert seen.one("model", "claude-sonnet-4-5").props["provider"] == "anthropic"
    assert seen.names("tool") == {"lookup"}
    assert len(seen.names("prompt")) == 1


def test_a_field_tagged_with_its_environment_name(see):
    text = go(
        'type Config struct {\n\tModel string `env:"LLM_MODEL" envDefault:"gpt-4o-mini"`\n}\n'
        "func ask(c Config) {\n\tclient := openai.NewClient()\n"
        "\tclient.Responses.New(nil, responses.ResponseNewParams{Model: c.Model})\n}",
        OPENAI,
        OPENAI + "/responses",
    )
    assert see({"a.go": text}).names("model") == {"gpt-4o-mini"}
    assert see({"a.go": text}, {"LLM_MODEL": "gpt-5"}).names("model") == {"gpt-4o-mini", "gpt-5"}


def test_sashabaranov_roles_tell_prompts_from_questions(see):
    seen = see(
        {
            "a.go": go(
                """
func main() {
	config := openai.DefaultConfig("k")
	config.BaseURL = "http://localhost:8080/v1"
	client := openai.NewClientWithConfig(config)
	client.CreateChatCompletion(ctx, openai.ChatCompletionRequest{
		Model: "mistral",
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: "You answer as a pirate."},
			{Role: openai.ChatMessageRoleUser, Content: "Where is the gold?"},
		},
	})
	cloud := openai.NewClient(os.Getenv("KEY"))
	cloud.CreateEmbeddings(ctx, openai.EmbeddingRequest{Model: openai.SmallEmbedding3})
}""",
                "github.com/sashabaranov/go-openai",
                "os",
            )
        }
    )
    assert len(seen.names("prompt")) == 1
    assert seen.names("endpoint") == {"http://localhost:8080"}
    assert seen.one("model", "text-embedding-3-small").props["role"] == "embedding"
    assert seen.one("model", "mistral").props["provider"] == "self-hosted"


def test_gemini_bedrock_and_ollama(see):
    seen = see(
        {
            "gemini.go": go(
                """
func main() {
	client, err := genai.NewClient(ctx, &genai.ClientConfig{APIKey: "k"})
	client.Models.GenerateContent(ctx, "gemini-2.5-flash", genai.Text("hi"), &genai.GenerateContentConfig{
		SystemInstruction: genai.NewContentFromText("You are a careful clerk.", genai.RoleUser),
		Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "dim_light"}}}},
	})
}""",
                "google.golang.org/genai",
            ),
            "bedrock.go": go(
                """
const claude = "anthropic.claude-3-haiku-20240307-v1:0"
func main() {
	client := bedrockruntime.NewFromConfig(cfg)
	client.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: aws.String(claude),
		System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "You are a clerk of the bank."}},
	})
}""",
                "github.com/aws/aws-sdk-go-v2/aws",
                "github.com/aws/aws-sdk-go-v2/service/bedrockruntime",
                "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types",
            ),
            "ollama.go": go(
                """
func main() {
	u, _ := url.Parse("http://gpu:11434")
	client := api.NewClient(u, http.DefaultClient)
	client.Generate(ctx, &api.GenerateRequest{Model: "llama3.2", System: "You are a local clerk."}, nil)
}""",
                "github.com/ollama/ollama/api",
                "net/url",
                "net/http",
            ),
        }
    )
    assert seen.names("model") == {"gemini-2.5-flash", "anthropic.claude-3-haiku-20240307-v1:0", "llama3.2"}
    assert seen.names("provider") >= {"google-gemini", "aws-bedrock"}
    assert seen.names("endpoint") == {"http://gpu:11434"}
    assert seen.names("tool") == {"dim_light"}
    assert len(list(seen.graph.of_kind("prompt"))) == 3


def test_langchaingo_models_agents_stores(see):
    seen = see(
        {
            "a.go": go(
                """
func main() {
	llm, err := openai.New(openai.WithModel("gpt-4o"))
	calc := tools.Calculator{}
	agent := agents.NewOneShotAgent(llm, []tools.Tool{calc}, agents.WithMaxIterations(3))
	e, _ := openai.New(openai.WithEmbeddingModel("text-embedding-3-small"))
	embedder, err := embeddings.NewEmbedder(e)
	store, err := chroma.New(chroma.WithEmbedder(embedder), chroma.WithNameSpace("docs"))
	llm.GenerateContent(ctx, []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You are a careful clerk."),
		llms.TextParts(llms.ChatMessageTypeHuman, "hello there"),
	})
}""",
                *(f"github.com/tmc/langchaingo/{p}" for p in ("llms/openai", "llms", "tools", "agents", "embeddings")),
                "github.com/tmc/langchaingo/vectorstores/chroma",
            )
        }
    )
    assert seen.names("agent") == {"agent"}
    assert ("agent", "uses_model", "gpt-4o") in seen.links()
    assert ("agent", "uses_tool", "Calculator") in seen.links()
    assert ("chroma", "embedded_by", "text-embedding-3-small") in seen.links()
    assert len(seen.names("prompt")) == 1


def test_mcp_servers_of_both_packages(see):
    seen = see(
        {
            "a/main.go": go(
                """
func main() {
	s := server.NewMCPServer("demo", "1.0.0", server.WithInstructions("Use the tools with care."))
	tool := mcp.NewTool("run_shell", mcp.WithDescription("runs"))
	s.AddTool(tool, run)
	s.AddPrompt(mcp.NewPrompt("review"), nil)
}
func run(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	out, err := exec.Command("sh", "-c", r.GetString("c", "")).Output()
	return mcp.NewToolResultText(string(out)), err
}""",
                "github.com/mark3labs/mcp-go/mcp",
                "github.com/mark3labs/mcp-go/server",
                "os/exec",
            ),
            "b/main.go": go(
                """
func main() {
	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "greet", Description: "say hi"}, SayHi)
}""",
                "github.com/modelcontextprotocol/go-sdk/mcp",
            ),
            "c/main.go": go(
                'func main() {\n\tc, err := client.NewStdioMCPClient("npx", nil, "-y", "@scope/server-files")\n}',
                "github.com/mark3labs/mcp-go/client",
            ),
        }
    )
    assert seen.names("mcp_server") == {"demo", "greeter", "@scope/server-files"}
    assert ("demo", "instructed_by", "review") in seen.links()
    assert seen.links("exposes_tool") == {("demo", "exposes_tool", "run_shell"), ("greeter", "exposes_tool", "greet")}
    assert seen.names("prompt") >= {"review"}
    assert seen.one("tool", "run_shell").props["effects"] == ["exec"]


def test_what_a_tool_reads_and_deletes_is_followed_into_other_functions(see):
    seen = see(
        {
            "a.go": go(
                """
func main() {
	db, err := sql.Open("postgres", "postgresql://shop-db/orders")
	h := &handler{db: db}
	mcp.AddTool(srv, &mcp.Tool{Name: "orders"}, h.orders)
}
type handler struct{ db *sql.DB }
func (h *handler) orders(ctx context.Context) { h.load(ctx); os.RemoveAll("/tmp/x") }
func (h *handler) load(ctx context.Context) { h.db.QueryContext(ctx, "SELECT id FROM orders WHERE a = $1", 1) }
""",
                "database/sql",
                "os",
                "github.com/modelcontextprotocol/go-sdk/mcp",
            )
        }
    )
    assert seen.one("tool", "orders").props["effects"] == ["delete", "read"]
    assert ("orders", "reads", "postgresql://shop-db/orders/orders") in seen.links("reads")


@pytest.mark.parametrize(
    "text",
    [
        go(
            'func f() {\n\tc := openai.NewClient()\n\tc.Chat.Completions.New(nil, openai.P{Model: "gpt-4o"})\n}',
            '"example.com/acme/openai"',
        ),
        go('type Client struct{}\nfunc f(c *Client) { c.CreateChatCompletion(nil, R{Model: "gpt-4o"}) }'),
        go('func f(s *Server) { s.AddTool(NewTool("hammer"), nil) }', "net/http"),
    ],
)
def test_look_alikes_are_silent(see, text):
    seen = see({"go.mod": "module example.com/acme\n", "openai/x.go": "package openai\n", "a.go": text})
    assert seen.observations == []


def test_generated_files_are_left_out_and_said(see):
    seen = see({"a.pb.go": "// Code generated by protoc-gen-go. DO NOT EDIT.\n" + openai('"gpt-4o"')})
    assert [u.skipped for u in seen.unseen] == [True]


DEEP = 10_000


@pytest.mark.parametrize(
    "text",
    [
        "var x = " + "(" * DEEP + "1" + ")" * DEEP,
        "var x = " + "f(" * DEEP + "1" + ")" * DEEP,
        "var x = " + '"a" + ' * DEEP + '"b"',
        "var x = " + "a." * DEEP + "b",
        "var x = " + "a().b" * DEEP,
        "var x = " + "[]T{" * DEEP,
        "var x = []T" + "{" * DEEP + "}" * DEEP,
        "var x = " + "&" * DEEP + "y",
        "func f() { " + "if x { " * DEEP,
        "var x " + "*" * DEEP + "T",
    ],
)
def test_deep_go_does_not_crash(see, text):
    see({"a.go": openai("x") + text})


def test_a_part_that_does_not_parse_is_said_and_the_rest_is_kept(see):
    seen = see({"a.go": openai('"gpt-4o"') + "\nfunc ( {\n x := = 3\n"})
    assert seen.names("model") == {"gpt-4o"}
    assert [u.where.partition(":")[0] for u in seen.unseen] == ["a.go"]
    assert seen.complete == set()


def test_types_that_embed_each_other_end(see):
    text = "".join(f"type T{i} struct {{ *T{(i + 1) % 40}; T{(i + 7) % 40} }}\n" for i in range(40))
    see({"a.go": openai("x", text + "var x = T0{}.Model.Name") + "\nfunc (t *T0) g() { t.client.Chat.New(t.a.b.c) }\n"})
