"""Where other scanners and ours differ on the same files. ``python bench/models/differential.py FOLDER BIN``

BIN is the folder of an environment's programs with picklescan, fickling and modelaudit; what is not there is left out.
Printed are files that another scanner flags and ours calls clean, and how many of those that ours flags nobody else
does. A peer's word is no label: each line is for somebody to look at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from penstock.inspect.models.scan import scan_path
from penstock.inspect.models.verdict import Verdict

#: Endings that fickling reads.
PICKLES = (".pkl", ".pickle", ".bin", ".pt", ".pth", ".joblib", ".dill")


def main() -> None:
    folder, programs = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "labels.json")
    ours = {path: scan_path(path).verdict for path in files}
    theirs: dict[str, set[Path]] = {}
    for name, ask in PEERS.items():
        if (program := programs / name).is_file():
            theirs[name] = {path for path in ask(program, folder, files) if path in ours}
    bad = {path for path, verdict in ours.items() if verdict >= Verdict.REVIEW}
    print(
        f"{len(files)} files; flagged by ours {len(bad)}, " + ", ".join(f"by {n} {len(f)}" for n, f in theirs.items())
    )
    for name, flagged in theirs.items():
        missed = sorted(path for path in flagged if ours[path] is Verdict.CLEAN)
        print(f"{name}: {len(missed)} that ours calls clean")
        for path in missed:
            print(f"  {path.relative_to(folder)}")
    print(f"by ours alone: {len(bad - set().union(*theirs.values()))}")


def picklescan(program: Path, folder: Path, files: list[Path]) -> set[Path]:
    """One line for each dangerous import, which begins with the file's name."""
    said = run(program, "-p", str(folder))
    return {path for path in files if f"{path}:" in said or f"{path}: dangerous" in said}


def fickling(program: Path, folder: Path, files: list[Path]) -> set[Path]:
    """Ends with other than 0 where it finds something unsafe; what it cannot read says so and does not count."""
    flagged = set()
    for path in files:
        if path.suffix in PICKLES:
            done = subprocess.run(
                [str(program), "--check-safety", str(path)], capture_output=True, text=True, timeout=120
            )
            if done.returncode and "Traceback" not in done.stderr:
                flagged.add(path)
    return flagged


def modelaudit(program: Path, folder: Path, files: list[Path]) -> set[Path]:
    """Issues of warning and worse, by the file in their place."""
    said = run(program, "scan", "--no-cache", "--format", "json", str(folder))
    try:
        issues = json.loads(said[said.index("{") :]).get("issues", ())
    except ValueError:
        return set()
    places = [str(issue.get("location", "")) for issue in issues if issue.get("severity") in ("warning", "critical")]
    return {path for path in files if any(place.startswith(str(path)) for place in places)}


PEERS: dict[str, Callable[[Path, Path, list[Path]], set[Path]]] = {
    "picklescan": picklescan, "fickling": fickling, "modelaudit": modelaudit,
}  # fmt: skip


def run(program: Path, *words: str) -> str:
    done = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=1800, cwd=program.parent)
    return done.stdout


if __name__ == "__main__":
    main()
