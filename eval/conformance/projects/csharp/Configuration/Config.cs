namespace Shop.Configuration;

public static class Config
{
    public const string SharedModel = "gpt-5";
}
