"""`python -m shared.suite`: installs Triton into an environment of its own."""

import sys

from shared.suite import triton
from shared.suite.errors import SuiteError


def main() -> int:
    """Installs Triton, or says why it can't run here; both are fine for the suite."""
    reason = triton.unsupported()
    if reason is not None:
        sys.stderr.write(f"Triton can't run here: {reason}. Models will run in process.\n")
        return 0
    try:
        triton.install()
    except SuiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
