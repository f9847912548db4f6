class Agent:
    """Somebody who sells houses."""

    def __init__(self, name: str, model: str) -> None:
        self.name, self.model = name, model


decoy = Agent(name="decoy", model="decoy-model")
