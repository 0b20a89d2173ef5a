"""Runs the retrieval service: `python -m services.retrieval`."""

import sys

from services.retrieval.config import RetrievalSettings
from services.retrieval.server import RetrievalService
from shared.server import run


def main() -> int:
    """Runs until a signal; returns the exit code."""
    settings = RetrievalSettings()
    return run(RetrievalService(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
