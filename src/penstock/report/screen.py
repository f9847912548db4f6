"""How a reader's screen is: how wide, with colour or without; and what rich draws, as text for it."""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass
from typing import IO, Any

#: Width of what is not shown on a terminal: fits a review page and a mail.
PLAIN_WIDTH = 100
#: Widest lines worth reading.
WIDEST = 140


@dataclass(frozen=True, slots=True)
class Screen:
    """``unicode`` is False where the output cannot hold lines and arrows."""

    width: int = PLAIN_WIDTH
    colour: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: IO[Any] | None = None) -> Screen:
        """The screen behind a stream (standard output): colour on a terminal only, unless NO_COLOR or TERM forbid."""
        stream = stream or sys.stdout
        terminal = stream.isatty()
        width = shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if terminal else PLAIN_WIDTH
        colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "")
        return cls(max(40, min(width, WIDEST)), colour, encoding.startswith("utf"))

    def draw(self, *things: Any) -> str:
        """What rich makes of the things, without trailing spaces, ending with a line end."""
        from rich.console import Console

        console = Console(
            file=io.StringIO(),
            width=self.width,
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            legacy_windows=False,
            highlight=False,
            emoji=False,
            markup=False,
        )
        for thing in things:
            console.print(thing)
        drawn = console.file.getvalue()  # type: ignore[attr-defined]
        text = "\n".join(line.rstrip() for line in drawn.split("\n")).rstrip("\n") + "\n"
        return text if self.unicode else text.translate(_PLAIN).encode("ascii", "replace").decode()


_PLAIN = str.maketrans("→←─│•·…▲●○–×’✓━", "><-|*-~^*o-x'v=")
