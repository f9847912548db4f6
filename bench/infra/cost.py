"""CPU seconds of the infrastructure collectors by themselves: python bench/infra/cost.py FOLDER… [--print FILE].

Every file is given to each collector of ``discover.infra`` that reads it, in one process, after one file has warmed
up packs and patterns. ``--print`` writes all that they yielded, one line each, so that two states of the code can be
compared with ``diff``. ``--profile`` says where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import fnmatch
import pstats
import time
from pathlib import Path

from penstock.discover import registry
from penstock.discover.collector import COLLECTORS, File
from penstock.errors import NotUnderstood

_LARGEST = 5_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--print", dest="written", type=Path)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    registry.load()
    collectors = [each for each in COLLECTORS.values() if each.name.startswith("infra.")]
    files = [file for folder in given.folders for file in _files(folder)]
    wanted = [(file, names) for file in files if (names := [c for c in collectors if _reads(c.reads, file.path)])]
    if wanted:
        _yielded(*wanted[0])
    profile = cProfile.Profile()
    if given.profile:
        profile.enable()
    began = time.process_time()
    lines = [line for file, names in wanted for line in _yielded(file, names)]
    spent = time.process_time() - began
    profile.disable()
    print(f"{len(wanted)} files read of {len(files)}, {spent:.2f} CPU s, {len(wanted) / spent:.0f} files a CPU second")
    if given.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    if given.written:
        given.written.write_text("\n".join(lines) + "\n")


def _files(folder: Path) -> list[File]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and ".git" not in p.parts)
    return [
        File(path.relative_to(folder).as_posix(), path.read_bytes(), f"repo:{folder.name}")
        for path in paths
        if path.stat().st_size <= _LARGEST
    ]


def _reads(patterns: tuple[str, ...], path: str) -> bool:
    name = path.rpartition("/")[2]
    return any(fnmatch.fnmatchcase(path if "/" in pattern else name, pattern) for pattern in patterns)


def _yielded(file: File, collectors: list) -> list[str]:  # type: ignore[type-arg]
    lines = []
    for each in collectors:
        try:
            lines += [f"{file.scope} {file.path} {each.name} {item!r}" for item in each.run(file)]
        except NotUnderstood as error:
            lines.append(f"{file.scope} {file.path} {each.name} {error}")
    return lines


if __name__ == "__main__":
    main()
