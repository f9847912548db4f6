using System.ComponentModel;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Shop.Support;

public static class Agents
{
    [Description("Look up an order.")]
    private static async Task<string> LookupOrder(string id)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync($"https://orders.internal/v1/{id}");
    }

    [Description("Refund an order.")]
    private static string RefundOrder(string id)
    {
        File.AppendAllText("refunds.txt", id);
        return id;
    }

    public static AIAgent Support(OpenAIClient client) =>
        client.GetChatClient("gpt-4o").AsAIAgent(
            instructions: Prompts.Support,
            name: "support",
            tools: [AIFunctionFactory.Create(LookupOrder), AIFunctionFactory.Create(RefundOrder)]);
}
