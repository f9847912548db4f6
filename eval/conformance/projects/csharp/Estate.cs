namespace Shop.Support;

/// <summary>Somebody who sells houses.</summary>
internal sealed class Estate
{
    internal sealed record Agent(string Name, string Model);

    internal static readonly Agent Decoy = new(Name: "decoy", Model: "decoy-model");
}
