"""The command line: parse, call, print."""


def main() -> None:
    """Run the command line. ``--version`` answers before anything heavy is imported."""
    import sys

    if sys.argv[1:] == ["--version"]:
        from penstock import __version__

        print(f"penstock {__version__}")
        return
    from penstock.cli import app

    sys.exit(app.main())
