"""A million random and damaged pickles against the inert oracle of the tests.

    python bench/models/fuzz.py [COUNT] [SEED]

Every input must be decided, and whatever the oracle sees called must be named. About 4,000 a CPU second.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.inspect.test_model_oracle import check, damaged, random_stream


def main() -> None:
    warnings.simplefilter("ignore")  # pickletools on escapes that are none
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    started, slowest = time.process_time(), 0.0
    for number in range(count):
        data = random_stream(chance)
        if number % 2:
            data = damaged(data, chance)
            if data[:1] != b"\x80" or data[1] > 5:
                continue
        before = time.process_time()
        check(data)
        slowest = max(slowest, time.process_time() - before)
    print(f"{count} inputs, {time.process_time() - started:.0f} CPU s, slowest {slowest * 1000:.1f} ms, nothing missed")


if __name__ == "__main__":
    main()
