"""What every error of Penstock says: what happened, where, and what to do next."""


class PenstockError(Exception):
    """The one root. Subclasses are named for what a caller can do about them.

    Args:
        message: what happened, one sentence without a full stop.
        where: the file, line, address or option it happened at.
        hint: what to do next.
    """

    def __init__(self, message: str, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.message]
        if self.where:
            parts.append(f"  --> {self.where}")
        if self.hint:
            parts.append(f"  help: {self.hint}")
        return "\n".join(parts)


class NotUnderstood(PenstockError):
    """The input does not parse or names something undeclared: correct it."""


class NotReachable(PenstockError):
    """A file, database, host or port cannot be reached: make it available and try again."""


class NotAllowed(PenstockError):
    """A permission, token or approval is missing: ask for it."""


class WrongUse(PenstockError):
    """The command or call was used wrongly: read its help."""
