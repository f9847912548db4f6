namespace Shop.Support;

internal static class Prompts
{
    public const string Support =
        "You help customers of the shop with their orders. Be brief, and never promise a refund.";
}
