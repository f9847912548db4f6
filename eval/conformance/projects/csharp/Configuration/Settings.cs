namespace Shop.Configuration;

public sealed record Settings
{
    public string SummaryModel { get; init; } = "gpt-4.1-mini";
}
