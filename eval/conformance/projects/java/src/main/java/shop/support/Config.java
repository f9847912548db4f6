package shop.support;

public final class Config {
    public static final String SHARED_MODEL = "gpt-5";

    private Config() {}
}
