"""The `wherefore` command: starts the suite, asks it questions and measures it.

Nothing heavy is imported before a command runs, so that `wherefore --help` answers at once.
"""

from shared.cli.app import main

__all__ = ["main"]
