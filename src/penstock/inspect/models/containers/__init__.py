"""Archives and compressed files: their parts, and what is wrong with how they are put together."""
