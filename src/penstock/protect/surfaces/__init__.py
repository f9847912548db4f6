"""One adapter a protocol: bytes to an exchange, and verdicts back to the protocol's own words.

The contract is in ``surfaces.surface``; ``surfaces.registry`` names the adapters. Adapters do no I/O: bytes go in and
values come out, so that each is tested by a script of what comes and what must go. Docs: ``docs/gateway.md``.
"""
