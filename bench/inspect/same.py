"""Whether two checkouts of the detector find the same spans: run before and after a change that may not matter.

python bench/inspect/same.py OTHER [TEXTS.jsonl ...]

OTHER is the ``src`` folder of the other checkout. Texts are the ``text`` fields of the files' lines, each by itself
and joined to 4 KB; and, always, examples of the pack in pieces, between all kinds of marks.
Prints how many texts differ, and each difference by rule and place; a value is never printed.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

PIECES = (
    "", " ", "\n", "\n\n", ", ", ",", ";", "\t", "|", '"', "=", ": ", "-", "é", "日", "телефон ", "@", ".", "+", "[",
    "]", "sk-", "eyJ", "://", "-----BEGIN ", "\ud800", "or", "order ", "phone,dob,ssn\n", "name;iban;email\r\n",
)  # fmt: skip


def texts(files: list[str], seed: int = 1) -> list[str]:
    """What to look at; the same for the same files."""
    from penstock.inspect.sensitive.rows import shapes, written_out

    chance = random.Random(seed)
    examples = [written_out(example) for row in shapes() for example in (*row.match, *row.no_match)]
    found = [*examples]
    for _ in range(6000):
        parts = []
        for _ in range(chance.randrange(1, 14)):
            text = chance.choice(examples)
            kind = chance.random()
            if kind < 0.4:
                low = chance.randrange(len(text) + 1)
                text = text[low : chance.randrange(low, len(text) + 1)]
            elif kind < 0.7:
                text = chance.choice(PIECES)
            parts.append(text)
        found.append("".join(parts))
    for file in files:
        with Path(file).open(encoding="utf-8") as lines:
            own = [json.loads(line)["text"] for line in lines]
        joined = "\n\n".join(own)
        found += [*own, *(joined[at : at + 4000] for at in range(0, len(joined), 4000))]
    return found


def dump(files: list[str], out: str, engine: str) -> None:
    """Write the spans of every text, one line each."""
    from penstock.inspect.sensitive.detector import detector

    with Path(out).open("w", encoding="utf-8") as file:
        for text in json.loads(Path(files[0]).read_text()):
            spans, growing = detector(engine).look(text)
            rows = [[span.start, span.end, span.type, round(span.confidence, 6), span.rule] for span in spans]
            file.write(json.dumps([rows, growing]) + "\n")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("other")
    ask.add_argument("files", nargs="*")
    ask.add_argument("--engine", default="")
    ask.add_argument("--dump", help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.dump:
        dump(given.files, given.dump, given.engine)
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "texts.json"
        corpus.write_text(json.dumps(texts(given.files)))
        answers = []
        for name, source in (("this", os.environ.get("PYTHONPATH", "")), ("other", given.other)):
            out = Path(folder) / name
            environment = {**os.environ, "PYTHONPATH": source}
            command = [sys.executable, __file__, "-", str(corpus), "--dump", str(out), "--engine", given.engine]
            subprocess.run(command, check=True, env=environment)
            answers.append(out.read_text().splitlines())
    differing = 0
    for number, (this, other) in enumerate(zip(*answers, strict=True)):
        if this == other:
            continue
        differing += 1
        if differing <= 20:
            mine, theirs = json.loads(this), json.loads(other)
            print(f"text {number}: only here {[row for row in mine[0] if row not in theirs[0]]}")
            print(f"          only there {[row for row in theirs[0] if row not in mine[0]]} {mine[1]} {theirs[1]}")
    print(f"{len(answers[0])} texts, {sum(len(json.loads(row)[0]) for row in answers[0])} spans, {differing} differ")
    raise SystemExit(bool(differing))


if __name__ == "__main__":
    main()
