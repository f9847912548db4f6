using Anthropic;
using Anthropic.Models.Messages;
using OpenAI;
using OpenAI.Chat;
using Shop.Configuration;

namespace Shop.Support;

public class Ask(OpenAIClient client, AnthropicClient claude, Settings settings)
{
    private const string Model = "gpt-4o";
    private const string Family = "sonnet";
    private static readonly Dictionary<string, string> Models = new() { ["cheap"] = "gpt-3.5-turbo" };

    public async Task<string> Constant(string question) => await Answer(client.GetChatClient(Model), question);

    public async Task<string> Concatenation(string question) =>
        await Answer(client.GetChatClient(Model + "-mini"), question);

    public Task<Message> Template(string question) =>
        claude.Messages.Create(new MessageCreateParams
        {
            Model = $"claude-{Family}-4-5",
            MaxTokens = 100,
            Messages = [new() { Role = Role.User, Content = question }],
        });

    public async Task<string> Enumerated(string question) =>
        await Answer(client.GetChatClient(ChatModel.Router.Id()), question);

    public async Task<string> Configured(string question) =>
        await Answer(client.GetChatClient(settings.SummaryModel), question);

    public async Task<string> FromEnvironment(string question)
    {
        var model = Environment.GetEnvironmentVariable("TRIAGE_MODEL") ?? "gpt-4.1-nano";
        return await Answer(client.GetChatClient(model), question);
    }

    public async Task<string> FromFile(string question)
    {
        var model = Environment.GetEnvironmentVariable("SUPPORT_MODEL")
            ?? throw new InvalidOperationException("SUPPORT_MODEL is not set.");
        return await Answer(client.GetChatClient(model), question);
    }

    public async Task<string> FromCompose(string question) =>
        await Answer(client.GetChatClient(Environment.GetEnvironmentVariable("REASONING_MODEL")!), question);

    public async Task<string> Imported(string question) =>
        await Answer(client.GetChatClient(Config.SharedModel), question);

    public async Task<string> Defaulted(string question, string model = "gpt-5-nano") =>
        await Answer(client.GetChatClient(model), question);

    private async Task<string> Passed(string question, string model) =>
        await Answer(client.GetChatClient(model), question);

    public Task<string> Caller() => Passed("hello", "gpt-4-turbo");

    public async Task<string> Chosen(string question) =>
        await Answer(client.GetChatClient(Models["cheap"]), question);

    // await Answer(client.GetChatClient("gpt-4-32k"), question);

    private static async Task<string> Answer(ChatClient chat, string question)
    {
        ChatCompletion completion = await chat.CompleteChatAsync(question);
        return completion.Content[0].Text;
    }
}
