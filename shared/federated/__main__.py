"""`python -m shared.federated`: installs Flower into an environment of its own."""

import sys

from shared.federated import environment
from shared.federated.errors import FederatedError


def main() -> int:
    """Installs Flower."""
    try:
        environment.install()
    except FederatedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
