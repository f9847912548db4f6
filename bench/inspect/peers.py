"""Penstock, presidio-analyzer and detect-secrets over the same documents in one run: MB per CPU second, and ratios.

python -m venv /tmp/peers && /tmp/peers/bin/pip install presidio-analyzer detect-secrets
python bench/inspect/peers.py --peers /tmp/peers/bin/python [--kb 120] [TEXTS.jsonl ...]

The peers live in an environment of their own, so that Penstock depends on neither. Documents have 4 KB: text made here
(prose, code and logs with about one value a kilobyte), or the ``text`` fields of the files' lines, joined. presidio
runs its default recognisers without a language model, which would only make it slower; detect-secrets its default
plug-ins over a file for each document. Each warms up first; Penstock is timed over ten times as much, as it is short.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZE = 4000


def penstock(documents):
    from penstock.inspect.sensitive import detect

    for text in documents:
        detect(text)
    return timed(detect, documents * 10, times=10)


def presidio(documents):
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class NoModel(SpacyNlpEngine):
        """Splits into words, and recognises nothing by itself."""

        def __init__(self):
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [one for one in registry.recognizers if "Spacy" not in type(one).__name__]
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=NoModel(), supported_languages=["en"])
    return timed(lambda text: analyzer.analyze(text, language="en", score_threshold=0.4), documents)


def detect_secrets(documents):
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    def scan(file):
        secrets = SecretsCollection()
        secrets.scan_file(file)
        return list(secrets)

    with tempfile.TemporaryDirectory() as folder, default_settings():
        files = []
        for number, text in enumerate(documents):
            files.append(str(Path(folder) / f"{number}.txt"))
            Path(files[-1]).write_text(text, encoding="utf-8", errors="replace")
        return timed(scan, files)


def timed(look, documents, times=1):
    """CPU seconds and what was found, for one pass over the documents."""
    look(documents[0])
    started = time.process_time()
    found = sum(len(list(look(text))) for text in documents)
    return {"cpu": (time.process_time() - started) / times, "found": found // times}


SCANNERS = {"penstock": penstock, "presidio": presidio, "detect-secrets": detect_secrets}


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--peers", help="the Python of the environment in which the peers are installed")
    ask.add_argument("--kb", type=int, default=120)
    ask.add_argument("files", nargs="*")
    ask.add_argument("--only", choices=SCANNERS, help=argparse.SUPPRESS)
    given = ask.parse_args()
    if given.only:
        documents = json.loads(Path(given.files[0]).read_text())
        print(json.dumps(SCANNERS[given.only](documents)))
        return
    if not given.peers:
        ask.error("name the Python that has the peers with --peers; how to make it stands at the top of this file")
    documents = texts(given.files)[: max(1, given.kb * 1000 // SIZE)]
    size = sum(len(text.encode("utf-8", "replace")) for text in documents) / 1e6
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "documents.json"
        file.write_text(json.dumps(documents))
        for name in SCANNERS:
            python = sys.executable if name == "penstock" else given.peers
            command = [python, __file__, "--only", name, str(file)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                print(f"{name:15} did not run: {done.stderr.strip().splitlines()[-1]}")
                continue
            figures[name] = json.loads(done.stdout.splitlines()[-1])
    print(f"{len(documents)} documents of {SIZE} characters, {size:.2f} MB")
    ours = figures["penstock"]["cpu"]
    for name, figure in figures.items():
        print(
            f"{name:15} {size / figure['cpu']:9.3f} MB/CPU-s  {figure['found']:6} findings"
            f"  {figure['cpu'] / ours:8.1f} times Penstock's CPU"
        )


def texts(files):
    if not files:
        from speed import mixed

        return [mixed(SIZE, seed) for seed in range(500)]
    lines = [line for file in files for line in Path(file).read_text(encoding="utf-8").split("\n") if line]
    joined = "\n\n".join(json.loads(line)["text"] for line in lines)
    return [joined[at : at + SIZE] for at in range(0, len(joined), SIZE)]


if __name__ == "__main__":
    main()
