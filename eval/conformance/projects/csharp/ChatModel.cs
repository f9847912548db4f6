namespace Shop.Support;

public enum ChatModel
{
    Router,
}

public static class ChatModelExtensions
{
    public static string Id(this ChatModel model) => model switch
    {
        ChatModel.Router => "gpt-4.1",
        _ => throw new ArgumentOutOfRangeException(nameof(model)),
    };
}
