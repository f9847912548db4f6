"""Events for other systems: OCSF for security tools, spans for traces, columns for analysis. Never a text."""
