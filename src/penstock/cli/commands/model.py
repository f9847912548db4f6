"""``penstock model``: what model files would do when they are loaded."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.screen import bytes_bar, printable, show_error
from penstock.errors import NotReachable, NotUnderstood, PenstockError, WrongUse

if TYPE_CHECKING:
    from penstock.inspect.models.hashes import Lists
    from penstock.inspect.models.verdict import Report

#: Verdicts at which ``--fail-on`` may end with 1, mildest first.
GATES = ("review", "suspicious", "malicious", "never")
_COLOURS = {"malicious": "red", "suspicious": "yellow", "review": "cyan", "inconclusive": "magenta", "clean": "green"}
#: Standard input is held in memory, at most so much of it.
MOST_INPUT = 1 << 30


def _with_lists(function: Any) -> Any:
    """The two lists of contents that were judged before."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for name, words in (("--deny", "is malicious"), ("--allow", "was approved")):
        function = click.option(
            name, type=file, multiple=True, metavar="FILE", help=f"A list of SHA-256: what is on it {words}."
        )(function)
    return function


@click.group("model")
def command() -> None:
    """See what a model file would do when it is loaded, without loading it."""


@command.command("scan")
@click.argument("paths", nargs=-1, required=True, metavar="PATH… | -")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option(
    "--fail-on",
    type=click.Choice(GATES),
    default="malicious",
    show_default=True,
    help="Exit with 1 from this verdict on.",
)
@click.option("--hash", "hashing", is_flag=True, help="Add the SHA-256 of each file; every byte is read for it.")
@click.option("--each", is_flag=True, help="Judge the files of a folder one by one, not as one model.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=None, help="CPU seconds a file may cost.")
@click.option("--weights", is_flag=True, help="Look at samples of the numbers too: NaN, hidden text or programs.")
@_with_lists
def scan(
    paths: tuple[str, ...],
    form: str,
    fail_on: str,
    hashing: bool,
    each: bool,
    seconds: float | None,
    weights: bool,
    allow: tuple[Path, ...],
    deny: tuple[Path, ...],
) -> int:
    """Scan model files, folders of a model, or standard input (-).

    Nothing is loaded, imported, run or sent. Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 wrong use,
    3 something could not be seen whole.

    \b
    penstock model scan model.pt
    penstock model scan ~/.cache/huggingface/hub --format json
    cat model.pkl | penstock model scan -
    """
    lists = _lists(allow, deny)
    reports, failures = [], []
    for path in _expanded(paths, each):
        try:
            reports.append(_scanned(path, hashing, seconds, lists))
            if weights:
                reports[-1].notes += _weights(Path(path))
        except NotReachable as error:
            failures.append(error)
    if form == "json":
        _print_json(reports, failures)
    else:
        for report in reports:
            click.echo(_told(report), nl=False)
        if len(reports) != 1:
            click.echo(_summary(reports))
    for failure in failures:
        show_error(failure)
    return exit_code(reports, fail_on, failed=bool(failures))


@command.command("guard", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- PROGRAM…")
@click.option(
    "--refuse",
    type=click.Choice(GATES[:-1]),
    default="malicious",
    show_default=True,
    help="Refuse to load from this verdict on.",
)
@click.option("--refuse-unseen", is_flag=True, help="Refuse also what could not be seen whole.")
@click.option(
    "--log", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Add each load as a line of JSON."
)
@_with_lists
def guard(
    program: tuple[str, ...],
    refuse: str,
    refuse_unseen: bool,
    log: Path | None,
    allow: tuple[Path, ...],
    deny: tuple[Path, ...],
) -> int:
    """Run a program whose Python looks at models before it loads them.

    torch.load, pickle.load, joblib.load, from_pretrained and others scan what they are given and raise an error instead
    of loading what is refused. It holds for every Python that the program starts, in an environment where Penstock is
    installed; not for python -I, -E or -S, and not for loaders written in another language. Exit code: the program's.

    \b
    penstock model guard -- python serve.py
    penstock model guard --refuse suspicious --log loads.jsonl -- python train.py
    """
    from penstock.protect.loads.command import Given, environment

    def absolute(paths: tuple[Path, ...]) -> tuple[str, ...]:
        return tuple(os.fspath(path.resolve()) for path in paths)

    given = Given(
        refuse=refuse,
        unseen=refuse_unseen,
        allow=absolute(allow),
        deny=absolute(deny),
        log=os.fspath(log.resolve()) if log else "",
    )
    given.stance()  # a list that cannot be read is told now, not by each process
    around = environment(given, os.environ)
    try:
        os.execvpe(program[0], list(program), around)  # noqa: S606 - what the user asks to run
    except OSError as error:
        raise NotReachable(
            f"The program cannot be started: {(error.strerror or str(error)).lower()}",
            program[0],
            "Name it by its path",
        ) from error


@command.command("convert")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option("--to", "form", type=click.Choice(["safetensors"]), default="safetensors", show_default=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Default: FILE with the new ending."
)
@click.option("--key", default="", metavar="NAME", help="The entry of a checkpoint that holds the weights.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def convert(path: Path, form: str, out: Path | None, key: str, force: bool) -> int:
    """Take the tensors out of a model file, into one in which nothing can run.

    PyTorch checkpoints (.pt, .pth, .bin, .ckpt) and NumPy arrays are read without being loaded: no name in them is
    imported and nothing is called, so a file that would do harm gives its numbers too. What is no tensor (settings of
    an optimizer, a tokenizer) stays behind and is named.

    \b
    penstock model convert pytorch_model.bin
    penstock model convert checkpoint.pt --key state_dict --out model.safetensors
    """
    from penstock.inspect.models.tensors import safetensors
    from penstock.inspect.models.tensors.read import read
    from penstock.inspect.models.tensors.tensor import SIZES

    target = out or path.with_suffix(f".{form}")
    if target.exists() and (not force or target.samefile(path)):
        raise WrongUse("The file is there already", str(target), "Name another with --out, or write over it: --force")
    before = _scanned(os.fspath(path), False, None, _lists((), ()))
    with read(path, key) as found:
        with bytes_bar("writing", sum(tensor.size for tensor in found.tensors.values())) as advance:
            size = safetensors.write(target, found, done=advance)
        count = sum(tensor.size // SIZES[tensor.kind] for tensor in found.tensors.values())
    click.echo(f"{len(found.tensors)} tensors, {count:,} numbers, {_size(size)} → {printable(os.fspath(target))}")
    for note in found.notes:
        click.echo(f"  {printable(note)}")
    if found.left_out:
        named = ", ".join(sorted(found.left_out)[:8]) + (" …" if len(found.left_out) > 8 else "")
        click.echo(f"  left behind, no tensors: {printable(named)}")
    after = _scanned(os.fspath(target), False, None, _lists((), ()))
    click.echo(f"  the file was {before.verdict.word}, the new one is {after.verdict.word}")
    return 0


@command.command("verify")
@click.argument("path", type=click.Path(exists=True, path_type=Path), metavar="PATH")
@click.option("--signature", type=click.Path(path_type=Path), metavar="FILE", help="Default: model.sig beside it.")
@click.option(
    "--key", "keys", multiple=True, type=click.Path(exists=True, path_type=Path), help="A trusted public key."
)
@click.option(
    "--root", "roots", multiple=True, type=click.Path(exists=True, path_type=Path), help="A trusted root certificate."
)
@click.option("--identity", "names", multiple=True, metavar="NAME", help="A trusted identity (Sigstore).")
@click.option("--issuer", "issuers", multiple=True, metavar="URL", help="Who vouches for the identity.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def verify(
    path: Path,
    signature: Path | None,
    keys: tuple[Path, ...],
    roots: tuple[Path, ...],
    names: tuple[str, ...],
    issuers: tuple[str, ...],
    form: str,
) -> int:
    """Check who signed a model, and that its files are those that were signed (OpenSSF model signing).

    Every file is hashed; nothing is loaded or fetched. Exit codes: 0 valid, 1 anything else, 2 wrong use.

    \b
    penstock model verify ./llama --key vendor.pem
    penstock model verify ./llama --identity release@example.com --issuer https://accounts.google.com
    """
    import json
    import time

    from penstock.inspect.models.signing.verify import Trust
    from penstock.inspect.models.signing.verify import verify as verified

    if len(names) != len(issuers):
        raise WrongUse(
            "Each identity needs its issuer", "--identity, --issuer", "Give both, as often as there are some"
        )
    trust = Trust(keys, roots, tuple(zip(names, issuers, strict=True)))
    size = (
        path.stat().st_size
        if path.is_file()
        else sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    )
    with bytes_bar("hashing", size) as advance:
        found = verified(path, signature, trust, now=time.time(), read=advance)
    if form == "json":
        click.echo(
            json.dumps({"version": 1, "signature": found.word, "signer": found.signer, "why": found.why}, indent=1)
        )
    else:
        colour = {"valid": "green", "invalid": "red"}.get(found.word, "yellow")
        by = f"  signed by {printable(found.signer)}" if found.signer else ""
        click.echo(f"{click.style(f'{found.word:10}', fg=colour, bold=True)} {printable(os.fspath(path))}{by}")
        for line in found.why:
            click.echo(f"  {printable(line)}")
    return 0 if found.word == "valid" else 1


def exit_code(reports: list[Report], fail_on: str, *, failed: bool = False) -> int:
    """The gate wins over what could not be seen."""
    from penstock.inspect.models.verdict import Verdict, worst

    verdict = worst(report.verdict for report in reports)
    if fail_on != "never" and verdict >= Verdict[fail_on.upper()]:
        return 1
    unseen = any(reason.verdict is Verdict.INCONCLUSIVE for report in reports for reason in report.reasons)
    return 3 if failed or unseen else 0


def _expanded(paths: tuple[str, ...], each: bool) -> list[str]:
    if not each:
        return list(paths)
    from penstock.inspect.models.scan import walk

    found: list[str] = []
    for path in paths:
        if path != "-" and Path(path).is_dir():
            found += [os.fspath(Path(path) / name) for name, problem in walk(Path(path)) if problem is None]
        else:
            found.append(path)
    return found


def _lists(allow: tuple[Path, ...], deny: tuple[Path, ...]) -> Lists:
    from penstock.inspect.models import hashes

    def joined(paths: tuple[Path, ...]) -> dict[str, str]:
        return {sha256: said for path in paths for sha256, said in hashes.read(path).items()}

    return hashes.Lists(joined(allow), joined(deny))


def _scanned(path: str, hashing: bool, seconds: float | None, lists: Lists) -> Report:
    from penstock.inspect.models.scan import scan_bytes, scan_path
    from penstock.inspect.models.source import Limits

    limits = Limits(seconds=seconds) if seconds else Limits()
    if path == "-":
        data = sys.stdin.buffer.read(MOST_INPUT + 1)
        if len(data) > MOST_INPUT:
            raise WrongUse("Standard input is longer than 1 GB", "-", "Write it to a file and name that")
        return scan_bytes(data, "-", limits=limits, lists=lists)
    if not os.path.lexists(path):
        raise PenstockError(
            "There is no such file or folder", path, "Name a model file, a folder, or - for standard input"
        )
    return scan_path(path, limits=limits, hashing=hashing, lists=lists)


def _weights(path: Path) -> list[str]:
    """Notes on the numbers of a file, or of the files of a folder; none where they cannot be taken out."""
    from penstock.inspect.models.scan import walk
    from penstock.inspect.models.tensors.read import read
    from penstock.inspect.models.weights import notes

    if path.is_dir():
        named = [name for name, problem in walk(path) if problem is None]
        return [f"{name}: {note}" for name in named for note in _weights(path / name)]
    try:
        with read(path) as found:
            return notes(found)
    except (NotUnderstood, NotReachable):
        return []


def _told(report: Report) -> str:
    """One file: verdict, then each reason with its place and chain."""
    word = report.verdict.word
    head = click.style(f"{word:12}", fg=_COLOURS[word], bold=True)
    about = ", ".join(report.formats) or "unknown format"
    lines = [f"{head} {printable(report.path)}  ({about}, {_size(report.size)})"]
    for reason in report.ranked()[:20]:
        mark = click.style(f"  {reason.verdict.word:12}", fg=_COLOURS[reason.verdict.word])
        lines.append(f"{mark} {printable(reason.what)}")
        place = reason.place.removeprefix(report.path).lstrip("!@")
        detail = "  ".join(part for part in (place and f"at {place}", reason.chain) if part)
        if detail:
            lines.append(f"{'':15}{printable(detail)}")
    if len(report.reasons) > 20:
        lines.append(f"{'':15}… and {len(report.reasons) - 20} more: --format json")
    lines += [f"{'':15}note: {printable(note)}" for note in report.notes[:5]]
    return "\n".join(lines) + "\n"


def _size(size: int) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size = size / 1024  # type: ignore[assignment]
    return ""


def _summary(reports: list[Report]) -> str:
    counts: dict[str, int] = {}
    for report in sorted(reports, key=lambda report: -report.verdict):
        counts[report.verdict.word] = counts.get(report.verdict.word, 0) + 1
    return f"{len(reports)} scanned: " + ", ".join(f"{count} {word}" for word, count in counts.items())


def as_value(report: Report) -> dict[str, Any]:
    """A report as plain JSON values; version 1 of this form."""
    return {
        "path": report.path,
        "verdict": report.verdict.word,
        "formats": report.formats,
        "size": report.size,
        "bytes_read": report.bytes_read,
        **({"sha256": report.sha256} if report.sha256 else {}),
        "reasons": [
            {
                "verdict": reason.verdict.word, "rule": reason.rule, "what": reason.what, "where": reason.where,
                **({} if reason.offset is None else {"offset": reason.offset}),
                **({"chain": reason.chain} if reason.chain else {}),
            }
            for reason in report.ranked()
        ],
        "facts": report.facts,
        "globals": sorted(report.names),
        "notes": report.notes,
    }  # fmt: skip


def _print_json(reports: list[Report], failures: list[NotReachable]) -> None:
    import json

    from penstock.inspect.models.verdict import worst

    document = {
        "version": 1,
        "verdict": worst(report.verdict for report in reports).word,
        "results": [as_value(report) for report in reports],
        "unreadable": [{"path": error.where or "", "why": error.message} for error in failures],
    }
    click.echo(json.dumps(document, indent=1, ensure_ascii=False, default=str).encode("utf-8", "replace"))
