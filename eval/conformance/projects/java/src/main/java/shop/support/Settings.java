package shop.support;

public class Settings {
    public final String summaryModel = "gpt-4.1-mini";
}
