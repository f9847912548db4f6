"""What a folder is called that no git remote names: its parent and itself, the same whichever folder above is scanned.

A name stands for one place as long as that place exists, or a scan of ``b/services/api`` would retire what a scan of
``a/services/api`` found. A second place of the same name gets one folder more, a moved one takes its name along.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class Names:
    """Names given so far.

    Attributes:
        places: name → absolute path of the folder that bears it; what to hand to the next scan.
    """

    __slots__ = ("places",)

    def __init__(self, places: Mapping[str, str] | None = None) -> None:
        self.places: dict[str, str] = dict(places or {})

    def of(self, folder: Path) -> str:
        """The name of a folder (absolute path), such as ``estate/hr-bot``; the whole path where others are taken."""
        parts = folder.parts[1:] or ("root",)
        for count in range(min(2, len(parts)), len(parts) + 1):
            name = "/".join(parts[-count:])
            holder = self.places.get(name, str(folder))
            if holder == str(folder) or not Path(holder).is_dir():
                break
        self.places[name] = str(folder)
        return name
