"""What stands behind the question mark is sent to the provider, too: its values are judged as any text is."""

from __future__ import annotations

from urllib.parse import quote_plus, unquote_plus

from penstock.protect.exchange import Part
from penstock.protect.inspection import Inspection
from penstock.protect.judging import ruled, worse
from penstock.protect.keys import without_key
from penstock.protect.masks import masked
from penstock.protect.policy import ALLOW, Decision, Policy, Record

#: Shorter values are no data: versions, formats, page sizes.
_SHORTEST = 6


def judged_query(inspection: Inspection, policy: Policy, record: Record, query: bytes) -> tuple[bytes, Decision]:
    """The query with masks (the very same bytes when there are none), and the most severe decision on its values."""
    worst, changed = ALLOW, False
    pairs = without_key(query).split(b"&")
    for number, pair in enumerate(pairs):
        name, sign, raw = pair.partition(b"=")
        if len(raw) < _SHORTEST:
            continue
        text = unquote_plus(raw.decode("latin-1"), errors="replace")
        spans = inspection.spans(text)
        if not spans:
            continue
        part = Part("", "other", text, 0, 0, "raw")
        decision, wanted = ruled(inspection, policy, record, "in", part, text, spans)
        worst = worse(worst, decision)
        if wanted:
            pairs[number] = name + sign + quote_plus(masked(text, wanted)).encode()
            changed = True
    return (b"&".join(pairs) if changed else query), worst
