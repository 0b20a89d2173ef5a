"""Runs the orchestrator: `python -m services.orchestrator`."""

import sys

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.server import OrchestratorService
from shared.server import run


def main() -> int:
    """Runs until a signal; returns the exit code."""
    settings = OrchestratorSettings()
    return run(OrchestratorService(settings), settings)


if __name__ == "__main__":
    sys.exit(main())
