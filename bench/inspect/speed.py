"""How fast sensitive data is found: MB per CPU second for each engine, and how long one text of 2 KB takes.

python bench/inspect/speed.py [--mb 8] [TEXTS.jsonl ...]

On mixed text made here from a fixed seed; or on the ``text`` fields of the files' lines, joined. Every document is read
once before it is timed, because patterns are compiled when they are first needed.
"""

import argparse
import json
import random
import time
from pathlib import Path

from penstock.inspect.sensitive.detector import detector
from penstock.inspect.sensitive.rows import shapes, written_out

WORDS = (
    "the agent answers customers about orders, refunds and deliveries; it reads the table orders and writes a note. "
    "def handle(self, request): return self.client.chat.completions.create(model=model, messages=messages) "
    "2026-11-02T08:14:55.102Z INFO http status=200 dur=0.0312 trace=4bf92f3577b34da6a3ce929d0e0e4736 "
    "Der Kunde bittet um eine Antwort bis Freitag. Le client demande une réponse. price 1,234.56 EUR id 8812734 "
).split(" ")


def mixed(size: int, seed: int, values_per_kb: float = 1.0) -> str:
    """Prose, code and logs with about one sensitive value a kilobyte."""
    chance = random.Random(seed)
    values = [written_out(example) for row in shapes() for example in row.match]
    parts, length = [], 0
    while length < size:
        word = chance.choice(values) if chance.random() < values_per_kb * 6 / 1024 else chance.choice(WORDS)
        parts.append(word + ("\n" if chance.random() < 0.06 else " "))
        length += len(parts[-1])
    return "".join(parts)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--mb", type=float, default=8)
    ask.add_argument("files", nargs="*")
    given = ask.parse_args()
    for document in (1_000, 2_000, 4_000, 32_000):
        documents = texts(given.files, document, int(given.mb * 1e6))
        for name in ("hyperscan", "re2"):
            measure(name, documents)


def texts(files: list[str], document: int, size: int) -> list[str]:
    """Documents of a size, at most 200 of them made here or ``size`` characters of the files."""
    if not files:
        return [mixed(document, seed) for seed in range(min(200, size // document))]
    lines = [line for file in files for line in Path(file).read_text(encoding="utf-8").split("\n") if line]
    joined = "\n\n".join(json.loads(line)["text"] for line in lines)[:size]
    return [joined[at : at + document] for at in range(0, len(joined), document)]


def measure(name: str, documents: list[str]) -> None:
    """Print throughput, and the CPU time of single documents."""
    detect = detector(name).detect
    found = sum(len(detect(text)) for text in documents)
    took = []
    for _ in range(3):
        for text in documents:
            at = time.process_time_ns()
            detect(text)
            took.append((time.process_time_ns() - at) / 1000)
    characters, size = sum(map(len, documents)), sum(len(text.encode("utf-8", "replace")) for text in documents)
    took.sort()
    print(
        f"{name:10} documents of {len(documents[0]):6} characters  {3 * size / sum(took):6.1f} MB/CPU-s"
        f"  p50 {took[len(took) // 2]:7.0f} us  p99 {took[len(took) * 99 // 100]:7.0f} us"
        f"  {1000 * found / characters:.2f} spans/KB"
    )


if __name__ == "__main__":
    main()
