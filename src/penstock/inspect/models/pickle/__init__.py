"""Pickle streams: an abstract machine that never calls, its policy, and the names it knows."""
