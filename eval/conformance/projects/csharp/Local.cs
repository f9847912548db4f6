using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace Shop.Support;

public static class Local
{
    public static async Task Answer()
    {
        var options = new OpenAIClientOptions { Endpoint = new Uri("http://llm.internal:8000/v1") };
        ChatClient local = new("llama-3.3-70b-instruct", new ApiKeyCredential("unused"), options);
        await local.CompleteChatAsync("hi");
    }
}
