"""Runs the NLU service: `python -m services.nlu`."""

import sys

from services.nlu.config import NluSettings
from services.nlu.server import NluService
from shared.server import run
from shared.tenant_service import tenanted


def main() -> int:
    """Runs until a signal; returns the exit code."""
    settings = NluSettings()
    own = NluService(settings)

    def make(tenant: str) -> NluService:
        return NluService(settings, lender=own) if tenant else own

    return run(tenanted(make, settings), settings)


if __name__ == "__main__":
    sys.exit(main())
