using System.ComponentModel;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Shop.Support;

public static class Agents
{
    [Description("Look up an order.")]
    private static string LookupOrder(string id) => id;

    [Description("Refund an order.")]
    private static string RefundOrder(string id) => id;

    public static AIAgent Support(OpenAIClient client) =>
        client.GetChatClient("gpt-4o").AsAIAgent(
            instructions: Prompts.Support,
            name: "support",
            tools: [AIFunctionFactory.Create(LookupOrder), AIFunctionFactory.Create(RefundOrder)]);
}
