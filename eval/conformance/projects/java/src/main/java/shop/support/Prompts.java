package shop.support;

public final class Prompts {
    public static final String SUPPORT_PROMPT =
        "You help customers of the shop with their orders. Be brief, and never promise a refund.";

    private Prompts() {}
}
