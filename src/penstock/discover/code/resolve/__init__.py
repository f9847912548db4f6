"""What an expression stands for, across the files of a source: see `resolver`."""

from penstock.discover.code.resolve.module import Module
from penstock.discover.code.resolve.resolver import Resolver
from penstock.discover.code.resolve.targets import Frame, Frames, Target, Text

__all__ = ["Frame", "Frames", "Module", "Resolver", "Target", "Text"]
