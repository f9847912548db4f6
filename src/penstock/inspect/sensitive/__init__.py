"""Sensitive data in text: where it stands, of which type and category, how surely, and why.

One classifier for the whole product: the same rows label data at rest and guard calls at the gateway.
"""

from penstock.inspect.sensitive.detector import detect
from penstock.inspect.sensitive.redact import mask, redact

__all__ = ["detect", "mask", "redact"]
