"""How fast sensitive data is found: MB per CPU second for each engine, on mixed text made here from a fixed seed.

python bench/inspect/speed.py [--mb 8]
"""

import argparse
import random
import time

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
    ask = argparse.ArgumentParser()
    ask.add_argument("--mb", type=float, default=8)
    size = int(ask.parse_args().mb * 1e6)
    for document in (1_000, 4_000, 32_000, 64_000):
        documents = [mixed(document, seed) for seed in range(min(200, size // document))]
        for name in ("hyperscan", "re2"):
            found, done, at = 0, 0, time.process_time()
            detect = detector(name).detect
            detect(documents[0])
            at = time.process_time()
            while done < size / (1 if name == "hyperscan" else 4):
                for text in documents:
                    found += len(detect(text))
                    done += len(text)
            used = time.process_time() - at
            print(
                f"{name:10} documents of {document:6} B  {done / 1e6 / used:7.1f} MB/CPU-s"
                f"  {1e6 * used * document / done:9.1f} us/document  {found / done * 1000:.2f} spans/KB"
            )


if __name__ == "__main__":
    main()
