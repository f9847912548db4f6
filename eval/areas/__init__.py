"""One module an area: ``run(set_dir, scorers, repos, out) -> {figure: value} | None`` (None: nothing to measure)."""
