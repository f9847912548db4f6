"""Run by Python at its start under ``penstock model guard``: guards the loaders, then hands on to the next of its name.

When the guard cannot be put in place the program does not start: a guard that is silently away is worse than none.
"""

import importlib
import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _start() -> None:
    try:
        from penstock.protect.loads.command import installed

        installed(os.environ["PENSTOCK_MODEL_GUARD"])
    except BaseException as error:
        sys.stderr.write(
            f"error: The model guard could not be put in place: {type(error).__name__}: {error}\n"
            f"  --> {sys.executable}\n"
            "  help: install penstock in the environment of this Python, or run without penstock model guard\n"
        )
        sys.stderr.flush()
        os._exit(2)


def _hand_on() -> None:
    """The environment's own ``sitecustomize``, which this one stands before."""
    elsewhere = [folder for folder in sys.path if Path(folder).resolve() != _HERE]
    if any((Path(folder) / "sitecustomize.py").exists() for folder in elsewhere):
        kept, sys.path[:] = sys.path[:], elsewhere
        del sys.modules["sitecustomize"]
        try:
            importlib.import_module("sitecustomize")
        finally:
            sys.path[:] = kept


if "PENSTOCK_MODEL_GUARD" in os.environ:
    _start()
    _hand_on()
