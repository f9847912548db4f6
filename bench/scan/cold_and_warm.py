"""CPU seconds of a scan, cold and of the unchanged tree: ``python bench/scan/cold_and_warm.py PATH...``

Each scan is a process of its own (import of Penstock included), children counted. Targets: at most 2 CPU s for 1,000
files cold, at most 0.2 for the unchanged tree.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile

ONE = """
import json, sys, time
from pathlib import Path
from penstock.discover.scan import scan
from penstock.settings import Settings
last = None
def keep(progress):
    global last
    last = progress
result = scan(sys.argv[2:], settings=Settings(), cache=Path(sys.argv[1]), progress=keep, now=time.time())
failed = [row for row in result.unseen if not row.skipped]
uses = {row.evidence.where for row in result.observations if getattr(row.subject, "verb", "") == "uses_model"}
print(json.dumps({"files": last.total, "observations": len(result.observations), "failed": len(failed),
                  "uses": len(uses), "finished": len(result.finished), "scopes": len(result.scopes)}))
"""


#: As an installed program runs: byte code is written once and read from then on.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def once(cache: str, paths: list[str]) -> tuple[float, dict[str, int]]:
    before = cpu()
    done = subprocess.run(
        [sys.executable, "-c", ONE, cache, *paths], check=True, capture_output=True, text=True, env=ENVIRONMENT
    )
    return cpu() - before, json.loads(done.stdout)


def main(paths: list[str]) -> int:
    if not paths:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as place:
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = f"{place}/code"
        once(f"{place}/first", paths)  # writes the byte code
        before = cpu()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        bare = cpu() - before
        cold, facts = once(f"{place}/cache", paths)
        warm = min(once(f"{place}/cache", paths)[0] for _ in range(3))
    files = max(facts["files"], 1)
    print(f"files read        {facts['files']:>8,}   sources {facts['scopes']} ({facts['finished']} finished)")
    print(f"observations      {facts['observations']:>8,}   failed rows {facts['failed']}")
    print(f"cold              {cold:8.2f} CPU s   {1000 * cold / files:.2f} for 1,000 files (target 2)")
    print(
        f"unchanged         {warm:8.2f} CPU s   {1000 * warm / files:.2f} for 1,000 files (target 0.2); "
        f"python alone {bare:.2f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
