"""Sensitive data: label texts and tables as the product does, let the area's ``score.py`` score the spans.

A set is JSONL files of labelled documents, or a ``generate.py`` that writes them (``--n --seed --out``; it may need
packages of its own, such as Faker). What is generated is shaped like live credentials and goes to a temporary folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from penstock.inspect.sensitive import detect
from penstock.inspect.sensitive.columns import classify_column

#: Documents and seeds of a generated set.
DOCUMENTS, SEEDS = 3000, (1, 2, 3, 4, 5)
#: Size of the documents on which speed is measured, in characters.
SIZE = 4000


def run(set_dir: Path, scorers: Path, repos: Path | None, out: Path) -> dict[str, float] | None:
    """Figures as means over the set's files, or over the seeds of its generator."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        golds = sorted(set_dir.glob("*.jsonl")) or list(_generated(set_dir / "generate.py", Path(scratch)))
        if not golds:
            return None
        scored = [_scored(gold, scorers / "score.py", Path(scratch), out) for gold in golds]
        speed = _speed(golds)
    return {
        "core_f1": _mean(one["core"]["f1"] for one in scored),
        "secret_f1": _mean(one["per_type"]["SECRET"]["f1"] for one in scored),
        "false_alarms_per_1000": _mean(one["false_alarms_per_1000_lookalikes"] for one in scored),
        "clean_docs_flagged": _mean(one["clean_docs_flagged"] for one in scored),
        "column_f1": _mean(one["columns"]["f1"] for one in scored if one["columns"]),
        "mb_per_cpu_s": speed,
    }


def _generated(script: Path, scratch: Path) -> Iterator[Path]:
    if not script.is_file():
        return
    for seed in SEEDS:
        gold = scratch / f"seed-{seed}.jsonl"
        command = [sys.executable, str(script), "--n", str(DOCUMENTS), "--seed", str(seed), "--out", str(gold)]
        subprocess.run(command, check=True)
        yield gold


def _scored(gold: Path, scorer: Path, scratch: Path, out: Path) -> dict[str, Any]:
    """The scorer's figures; they hold counts, never a value."""
    predicted, figures = scratch / f"{gold.stem}.pred.jsonl", out / f"{gold.stem}.json"
    with predicted.open("w", encoding="utf-8") as file:
        for document in _read(gold):
            file.write(json.dumps(answer(document)) + "\n")
    command = [sys.executable, str(scorer), "--gold", str(gold), "--pred", str(predicted), "--json", str(figures)]
    subprocess.run(command, check=True, capture_output=True)
    scored: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
    return scored


def answer(document: dict[str, Any]) -> dict[str, Any]:
    """What is said about one document: spans, and for a table a type a column."""
    spans = [{"start": span.start, "end": span.end, "type": span.type} for span in detect(document["text"])]
    said: dict[str, Any] = {"id": document["id"], "spans": spans}
    if "columns" in document:
        said["columns"] = _columns(document["text"], list(document["columns"]))
    return said


def _columns(text: str, names: list[str]) -> dict[str, str]:
    header, *lines = text.splitlines()
    mark = max(",;\t|", key=header.count)
    rows = [[cell.strip().strip('"') for cell in line.split(mark)] for line in lines]
    types = {}
    for index, name in enumerate(names):
        verdict = classify_column(name, [row[index] for row in rows if len(row) == len(names)])
        types[name] = next(iter(verdict.types), "")
    return types


def _speed(golds: list[Path]) -> float:
    """MB a CPU second over the set's texts, joined to documents of 4 KB."""
    text = "\n\n".join(document["text"] for gold in golds for document in _read(gold))
    documents = [text[at : at + SIZE] for at in range(0, len(text), SIZE)]
    detect(documents[0])
    started = time.process_time()
    for one in documents:
        detect(one)
    return sum(len(one.encode()) for one in documents) / 1e6 / (time.process_time() - started)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
