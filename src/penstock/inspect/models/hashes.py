"""Contents that people have judged before: lists of SHA-256, as ``sha256sum`` writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penstock.errors import NotReachable, NotUnderstood
from penstock.inspect.models.verdict import Reason, Verdict

_LINE = re.compile(r"(?P<sha256>[0-9A-Fa-f]{64})(?:\s+\*?(?P<said>.*))?")
#: A list of a million lines has 100 MB.
_LONGEST = 128 << 20


@dataclass(frozen=True, slots=True)
class Lists:
    """SHA-256 in lower case → what its line says. A content on both lists is denied."""

    allowed: Mapping[str, str] = field(default_factory=dict)
    denied: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.allowed or self.denied)

    def judged(self, reasons: list[Reason], sha256: str, where: str) -> tuple[list[Reason], str]:
        """The reasons that remain for this content, and a note where a list set some aside."""
        if (said := self.denied.get(sha256)) is not None:
            words = f"this content is on the deny list{f': {said}' if said else ''}"
            return [Reason(Verdict.MALICIOUS, "list.denied", words, where), *reasons], ""
        if (said := self.allowed.get(sha256)) is not None and reasons:
            words = f"{where}: on the allow list{f' ({said})' if said else ''}: {len(reasons)} reasons set aside"
            return [], words
        return reasons, ""


def read(path: Path) -> dict[str, str]:
    """A list from its file: a SHA-256 a line, and words behind it; ``#`` starts a comment.

    Raises:
        NotReachable: the file cannot be read, or is longer than 128 MB.
        NotUnderstood: a line is none of these.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise NotReachable(f"The list cannot be read: {(error.strerror or str(error)).lower()}", str(path)) from error
    if len(data) > _LONGEST:
        raise NotReachable("The list is longer than 128 MB", str(path), "Split it: the option may be given twice")
    listed: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _LINE.fullmatch(stripped)
        if found is None:
            raise NotUnderstood(
                "This line does not begin with a SHA-256", f"{path}:{number}", "Write lines as sha256sum does"
            )
        listed[found["sha256"].lower()] = (found["said"] or "").strip()
    return listed
