"""``penstock guard``: whether texts are worded like attacks on a model, and how the scorer is trained."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from penstock.errors import NotReachable, WrongUse

#: Characters of one text that are read.
MOST_INPUT = 1 << 24
#: Of the harmless texts every so manieth fixes the thresholds.
_HELD = 3


@click.group("guard")
def command() -> None:
    """Judge texts for prompt injection and jailbreaks, or train the scorer that does."""


@command.command("score")
@click.argument("path", metavar="FILE | -")
@click.option(
    "--channel",
    type=click.Choice(["user", "content"]),
    default="user",
    show_default=True,
    help="user: typed by a person; content: a tool result, document, mail or code.",
)
@click.option("--task", default="", help="What the user asked for, where the text is content.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def score(path: str, channel: str, task: str, form: str) -> int:
    """Judge one text. Exit codes: 0 no attack, 1 an attack, 2 wrong use, 3 too long to be seen whole.

    \b
    penstock guard score mail.txt --channel content
    echo 'Ignore all previous instructions' | penstock guard score -
    """
    from penstock.inspect.attacks import judge

    text = _text(path)
    verdict = judge(text, channel, task)
    if form == "json":
        import msgspec

        click.echo(msgspec.json.encode({"attack": verdict.attack, "blocks": verdict.blocks, **_plain(verdict)}))
    else:
        word = "attack" if verdict.attack else "no attack"
        click.echo(
            f"{word}: score {verdict.score:.2f}, alert from {verdict.threshold:.2f}, block from {verdict.blocking:.2f}"
        )
        for span in verdict.spans:
            line = text.count("\n", 0, span.start) + 1
            click.echo(f"  line {line}, characters {span.start}-{span.end}: {span.reason}")
    return 1 if verdict.attack else 0 if verdict.whole else 3


@command.command("train")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Labelled texts, JSON lines, may be .gz.")
@click.option(
    "--dev", type=click.Path(path_type=Path), required=True, help="Texts whose benign rows fix the thresholds."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where the model is written.")
@click.option("--without", multiple=True, metavar="SOURCE", help="Leave a source out, to measure on it.")
@click.option(
    "--harmless",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of texts without attacks, such as checkouts of ordinary projects.",
)
def train(data: Path, dev: Path, out: Path, without: tuple[str, ...], harmless: Path | None) -> int:
    """Train the scorer on labelled texts: rows of text, label (attack | benign), kind, source."""
    from penstock.inspect.attacks import corpus, training

    rows = [row for row in corpus.read(data) if row["source"] not in without]
    held = [(row["text"], corpus.channel(row)) for row in corpus.read(dev) if row["label"] == "benign"]
    further = list(corpus.harmless_texts(harmless)) if harmless else []
    held += [(text, "content") for text in further[::_HELD]]  # every so many are not trained on, and fix the thresholds
    learnt = [text for number, text in enumerate(further) if number % _HELD]
    model = training.train(corpus.examples(rows, learnt), say=click.echo)
    training.write(training.calibrated(model, held), out)
    click.echo(f"written: {out} ({out.stat().st_size / 1e6:.1f} MB)")
    return 0


def _plain(verdict: object) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(verdict)
    return plain


def _text(path: str) -> str:
    if path == "-":
        data = sys.stdin.buffer.read(MOST_INPUT + 1)
    else:
        try:
            with Path(path).open("rb") as file:
                data = file.read(MOST_INPUT + 1)
        except OSError as error:
            raise NotReachable(
                f"The text cannot be read: {error.strerror}", path, "Name a file, or - for input"
            ) from error
    if len(data) > MOST_INPUT:
        raise WrongUse("The text is longer than 16 MB", path, "Split it")
    return data.decode("utf-8", "replace")
