"""How well core types are found in the public synthetic set of presidio-research, which has templates not made here.

python bench/inspect/public_set.py [--misses N] synth_dataset_v2.json

The file is ``data/synth_dataset_v2.json`` of github.com/microsoft/presidio-research. Of its types those are judged that
need no language model: a value counts as found when a span of its type covers at least half of it.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

from penstock.inspect.sensitive import detect

#: The set's words for what is judged here.
TYPES = {
    "CREDIT_CARD": "CREDIT_CARD",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "US_SSN": "NATIONAL_ID",
    "IP_ADDRESS": "IP_ADDRESS",
    "US_DRIVER_LICENSE": "DRIVING_LICENCE",
}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--misses", type=int, default=0, help="print so many of what was missed or wrong")
    ask.add_argument("file", type=Path)
    given = ask.parse_args()
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in TYPES.values()}
    wrongs: list[str] = []
    for document in json.loads(given.file.read_text(encoding="utf-8")):
        judge(document, counts, wrongs)
    for kind, count in sorted(counts.items()):
        told = "  ".join(f"{word} {count[word]:4}" for word in ("right", "missed", "wrong"))
        print(f"{kind:16} {told}  F1 {f1(count):.3f}")
    print(f"{'all':16} F1 {f1(sum(counts.values(), Counter())):.3f}")
    print("\n".join(wrongs[: given.misses]))


def judge(document: dict[str, Any], counts: dict[str, Counter[str]], wrongs: list[str]) -> None:
    """Count what was found, missed and wrong in one document."""
    text = document["full_text"]
    wanted = [
        (span["start_position"], span["end_position"], TYPES[span["entity_type"]])
        for span in document["spans"]
        if span["entity_type"] in TYPES
    ]
    found = [(span.start, span.end, span.type) for span in detect(text) if span.type in counts]
    for one in wanted:
        seen = any(same(one, other) for other in found)
        counts[one[2]]["right" if seen else "missed"] += 1
        if not seen:
            wrongs.append(f"missed {one[2]}: {text[max(0, one[0] - 50) : one[1] + 20]!r}")
    for other in found:
        if not any(same(one, other) for one in wanted):
            counts[other[2]]["wrong"] += 1
            wrongs.append(f"wrong {other[2]}: {text[max(0, other[0] - 50) : other[1] + 20]!r}")


def same(wanted: tuple[int, int, str], found: tuple[int, int, str]) -> bool:
    overlap = min(wanted[1], found[1]) - max(wanted[0], found[0])
    return wanted[2] == found[2] and 2 * overlap >= wanted[1] - wanted[0]


def f1(count: Counter[str]) -> float:
    total = 2 * count["right"] + count["wrong"] + count["missed"]
    return 2 * count["right"] / total if total else 1.0


if __name__ == "__main__":
    main()
