"""Print the table of languages and constructs."""

from __future__ import annotations

import sys

from eval.conformance import constructs, languages, missing


def main() -> int:
    """1 when something is missing."""
    columns = languages()
    print(f"{'construct':<22}" + "".join(f"{name:>12}" for name in columns))
    gaps: list[str] = []
    for row in constructs():
        found = {name: missing(name, row) for name in columns}
        gaps += [f"{name}, {row.construct}: {'; '.join(told)}" for name, told in found.items() if told]
        print(f"{row.construct:<22}" + "".join(f"{'-' if found[name] else 'ok':>12}" for name in columns))
    print("\n" + "\n".join(gaps) if gaps else "\nall found")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
