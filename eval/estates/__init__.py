"""Material that is made, with what is right about it."""
