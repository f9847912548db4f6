using OpenAI;
using OpenAI.Chat;

namespace Shop.Support;

public sealed class Classifier
{
    private readonly OpenAIClient _client;
    private readonly string _model;

    public Classifier(OpenAIClient client)
    {
        _client = client;
        _model = "gpt-5-mini";
    }

    public ChatCompletion Classify(string text) => _client.GetChatClient(_model).CompleteChat(text);
}
