"""Recall on sources that training did not see: leave each group of sources out, train, score what was left out.

    python bench/guard/unseen.py --data train.jsonl.gz --dev dev.jsonl.gz [--hold name,name …] [--harmless FOLDER]

Thresholds come from the benign rows of dev, for at most 1 % and 0.1 % of each channel above.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from penstock.inspect.attacks import corpus, training

HELD = (("neuralchemy",), ("own_synth", "own_obf"), ("verazuo_inthewild", "garak_dan"))
#: Rows of one slice that are scored.
MOST = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--hold", action="append", help="sources to leave out together, with commas")
    parser.add_argument("--harmless", type=Path, help="texts without attacks, to train on and to fix thresholds by")
    given = parser.parse_args()
    further = list(corpus.harmless_texts(given.harmless)) if given.harmless else []
    rows, dev = corpus.read(given.data), corpus.read(given.dev)
    for held in [tuple(names.split(",")) for names in given.hold or ()] or HELD:
        model = training.train(corpus.examples([row for row in rows if row["source"] not in held], further[1::3]))
        benign = [(row["text"], corpus.channel(row)) for row in dev if row["label"] == "benign"]
        benign += [(text, "content") for text in further[::3]]
        model = training.calibrated(model, benign)
        print(f"without {', '.join(held)}: share above the alert point and above the blocking point")
        slices: dict[str, list[corpus.Row]] = defaultdict(list)
        for row in rows:
            if row["source"] in held:
                language = "English" if row.get("lang") == "en" else "other"
                slices[f"{row['source']} {row['kind']} {row.get('tech') or ''} {language}"].append(row)
        for name, of in sorted(slices.items()):
            some = random.Random(1).sample(of, min(MOST, len(of)))
            limits = [model.thresholds[corpus.channel(row)] for row in some]
            scores = [model.best(row["text"]).score for row in some]
            above = [[score > limit for limit in both] for score, both in zip(scores, limits, strict=True)]
            alert, block = (sum(flags[side] for flags in above) / len(above) for side in (0, 1))
            print(f"  {name:58} {len(some):4} {alert:.3f} {block:.3f}")


if __name__ == "__main__":
    main()
