package shop.support;

public enum Model {
    ROUTER("gpt-4.1");

    public final String id;

    Model(String id) {
        this.id = id;
    }
}
