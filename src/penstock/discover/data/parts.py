"""Files that are one dataset together: ``part-00000``, ``train-00001-of-00005``, folders named ``key=value``."""

from __future__ import annotations

import re

_PART = re.compile(
    r"(?:part|data|chunk|shard|block)s?[-_.]\d{3,}.*|.+[-_]\d{3,6}-of-\d{3,6}\..*|\d{4,}_\d+(?:\.\w+)*", re.IGNORECASE
)
_OF = re.compile(r"(.+)[-_]\d{3,6}-of-(\d{3,6})\.", re.IGNORECASE)
_KEY = re.compile(r"[A-Za-z_]\w{0,63}=[^/]*")


def part_of(path: str) -> str:
    """The dataset of which the file at a path is a part; empty for a file that is a dataset of its own."""
    *folders, name = path.split("/")
    keyed = next((depth for depth, folder in enumerate(folders) if _KEY.fullmatch(folder)), None)
    if keyed is not None:
        return "/".join(folders[:keyed])
    if not _PART.fullmatch(name):
        return ""
    if split := _OF.match(name):
        return "/".join([*folders, split[1]]) if int(split[2]) > 1 else ""
    return "/".join(folders)
