"""One file a format. Each has ``look(piece) -> Iterator[Reason]`` and is imported when the first such file is met."""
