package shop.support

enum class Model(val id: String) {
    ROUTER("gpt-4.1"),
}
