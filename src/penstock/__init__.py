"""Penstock: discover, assess and protect AI assets on one graph."""

__version__ = "0.1.0"
