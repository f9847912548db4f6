package shop.support

/** Somebody who sells houses. */
internal class Estate {
    data class Agent(val name: String, val model: String)

    companion object {
        val DECOY = Agent(name = "decoy", model = "decoy-model")
    }
}
