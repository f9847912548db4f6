"""Bounds on how far an expression is followed, so that any source costs a bounded time."""

#: Names, calls and members one after another.
MAX_DEPTH = 40
#: Steps for one source; beyond, answers stay unknown (10⁶ steps are about two CPU seconds).
MAX_STEPS = 3_000_000
#: Calls of one function whose arguments are looked at.
MAX_CALLERS = 24
#: Things that one list is looked into for.
MAX_ITEMS = 500
