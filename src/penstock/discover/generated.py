"""Content that a generator wrote and that says nothing of what a source does, told by the content itself.

Only what can be nothing else is left out, and every such file is listed: a tree must not be able to hide in it.
"""

from __future__ import annotations

import re

#: Smaller files cost nothing worth a look.
_SMALL = 20_000
_BETWEEN = re.compile(rb"^---(?:[ \t][^\n]*)?$", re.MULTILINE)
#: The definition of a kind of resource: a schema, hundreds of kilobytes of it, of which none is running.
_DEFINITION = re.compile(
    rb"\s*apiVersion: apiextensions\.k8s\.io/v1(?:beta1)?\r?\nkind: CustomResourceDefinition\r?\n", re.ASCII
)
_COMMENT = re.compile(rb"^#[^\n]*$", re.MULTILINE)
_TOP = re.compile(rb"^[^ \t\r\n#-][^\n]*", re.MULTILINE)
#: What stands at the left edge of a definition, each once.
_PARTS = {b"apiVersion", b"kind", b"metadata", b"spec", b"status"}


def why_generated(path: str, data: bytes) -> str:
    """Why a file needs no reading; empty for one that does."""
    if len(data) < _SMALL or not path.casefold().endswith((".yaml", ".yml")) or b"CustomResourceDefinition" not in data:
        return ""
    documents = [text for part in _BETWEEN.split(data) if (text := _COMMENT.sub(b"", part).strip())]
    return "generated: schemas of Kubernetes resources" if documents and all(map(_defines, documents)) else ""


def _defines(document: bytes) -> bool:
    if not _DEFINITION.match(document):
        return False
    tops = [line.partition(b":")[0] for line in _TOP.findall(document)]
    return len(tops) == len(set(tops)) and _PARTS.issuperset(tops)
