"""Does the verdict depend on the protocol, on streaming, or on where bytes are cut? One table; exit code 1 if so.

python bench/gateway/parity.py [--items 40] [--splits 6] [--every] [--seed 1]

Values of many kinds (the examples of the detectors' own rows, written out and put into sentences) are said in every
protocol: as a prompt, as an answer in one piece, as a stream, and as the arguments of a tool. Streams are cut into
tokens, and their bytes into pieces at random places, ``--splits`` times each, or with ``--every`` at each place of the
text and of the bytes. What is expected is what chat completions in one piece get. A benign twin is an example that must
not match.
"""

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from examples.protocols import PROTOCOLS
from penstock.inspect.sensitive.rows import shapes, written_out
from penstock.protect.policy import ACTS_AT
from tests.protect.parity import INSPECTION, arguments, asked, in_tokens, in_two, policy, recut, streamed, whole

SENTENCES = (
    "Please use {} for this.", "{}", "Re: order 66\n\n> {}\n\nKind regards", "名前は {} です 👩‍🔬", '{{"v": "{}"}}',
    "| a | b |\n|---|---|\n| 1 | {} |", "See «{}» and nothing else; it costs 1,234.56.",
)  # fmt: skip


def material(count, chance):
    """Sentences in which the bare detectors see something, with the values seen; and sentences in which they do not."""
    rows = list(shapes())
    planted, benign = [], []
    while len(planted) < count or len(benign) < count:
        row = chance.choice(rows)
        sentence = chance.choice(SENTENCES)
        if row.match and len(planted) < count:
            text = sentence.format(mutated(written_out(chance.choice(row.match)), chance))
            spans = [span for span in INSPECTION.spans(text) if span.confidence >= ACTS_AT and span.category != "mark"]
            if spans:
                planted.append((text, [text[span.start : span.end] for span in spans]))
        no_match = getattr(row, "no_match", ())
        if no_match and len(benign) < count:
            text = sentence.format(written_out(chance.choice(no_match)))
            if not INSPECTION.spans(text):
                benign.append(text)
    return planted, benign


def mutated(value, chance):
    """The value in surroundings that its row has never seen."""
    before = "".join(chance.choices("abcdefgh ", k=chance.randrange(6)))
    return f"{before} {value}" if before.strip() else value


def seen_again(text, values):
    return any(value in text for value in values if len(value) > 3)


class Row:
    """What became of all items in one protocol and way."""

    def __init__(self):
        self.tried = self.caught = self.equal = 0

    def add(self, expected, found, values):
        self.tried += 1
        self.caught += not seen_again(found.text, values)
        self.equal += (found.verdict, found.seen) == (expected.verdict, expected.seen)

    def __str__(self):
        if not self.tried:
            return f"{'–':>20}"
        return f"{100 * self.caught / self.tried:7.2f}% {100 * self.equal / self.tried:6.2f}% {self.tried:5}"


def ways(protocol, text, chance, splits, every, call=False):
    """The stream that says a text, cut in many ways."""
    events = protocol.called if call else protocol.events
    if every:
        yield from (events(pieces) for pieces in in_two(text))
        data = b"".join(events(in_tokens(text, chance)))
        yield from ([data[:cut], data[cut:]] for cut in range(1, len(data)))
        return
    for _ in range(splits):
        yield recut(events(in_tokens(text, chance)), chance)


def measure(protocol, planted, benign, chance, splits, every):
    rows = {name: Row() for name in ("prompt", "whole", "stream", "call", "called")}
    untouched = Counter()
    using = policy()
    for text, values in planted:
        said = PROTOCOLS[0].answer(text)
        expected = whole(PROTOCOLS[0], said, using)
        _, sent, _, record = asked(protocol, text, False, using)
        found = type(expected)(json.dumps(json.loads(sent), ensure_ascii=False), record.verdict, (), False)
        rows["prompt"].add(type(expected)("", expected.verdict, (), False), found, values)
        rows["whole"].add(expected, whole(protocol, protocol.answer(text), using), values)
        for pieces in ways(protocol, text, chance, splits, every):
            rows["stream"].add(expected, streamed(protocol, pieces, using), values)
        if protocol.call("{}"):
            given = arguments(text)
            expected = whole(PROTOCOLS[0], PROTOCOLS[0].call(given), using)
            rows["call"].add(expected, whole(protocol, protocol.call(given), using), values)
            for pieces in ways(protocol, given, chance, max(1, splits // 2), False, call=True):
                rows["called"].add(expected, streamed(protocol, pieces, using), values)
    for text in benign:
        found = [whole(protocol, protocol.answer(text), using).untouched]
        found += [streamed(protocol, pieces, using).untouched for pieces in ways(protocol, text, chance, splits, False)]
        untouched.update(found)
    return rows, untouched


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("--items", type=int, default=40)
    ask.add_argument("--splits", type=int, default=6)
    ask.add_argument("--every", action="store_true")
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    chance = random.Random(given.seed)
    planted, benign = material(given.items, chance)
    print(f"{len(planted)} planted, {len(benign)} benign; each cell: caught, verdict equal, tries")
    names = ("prompt", "answer whole", "answer streamed", "call whole", "call streamed")
    print(f"{'surface':30}" + "".join(f"{name:>22}" for name in names) + f"{'benign untouched':>22}")
    total, good = Row(), True
    for protocol in PROTOCOLS:
        rows, untouched = measure(protocol, planted, benign, chance, given.splits, given.every)
        share = 100 * untouched[True] / sum(untouched.values())
        print(f"{protocol.name:30}" + "".join(f"  {row}" for row in rows.values()) + f"{share:21.2f}%", flush=True)
        for row in rows.values():
            total.tried, total.caught, total.equal = (
                total.tried + row.tried, total.caught + row.caught, total.equal + row.equal,
            )  # fmt: skip
        good = good and not untouched[False]
    print(f"{'all':30}  {total}")
    good = good and total.caught >= 0.99 * total.tried and total.equal == total.tried
    print("equal everywhere" if good else "NOT equal everywhere")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
