package shop.support;

/** Somebody who sells houses. */
class Estate {
    static class Agent {
        Agent(String name, String model) {}
    }

    static final Agent DECOY = new Agent("decoy", "decoy-model");
}
