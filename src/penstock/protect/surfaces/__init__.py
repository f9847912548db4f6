"""One adapter a protocol: bytes to an exchange, and verdicts back to the protocol's own words."""
