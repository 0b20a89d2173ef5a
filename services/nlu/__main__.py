"""Runs the NLU service: `python -m services.nlu`."""

import sys

from services.nlu.config import NluSettings
from services.nlu.server import NluService
from shared.server import run


def main() -> int:
    """Runs until a signal; returns the exit code."""
    settings = NluSettings()
    return run(NluService(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
