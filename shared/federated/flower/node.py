"""`python -m shared.federated.flower.node`: `flower-supernode` that ends when it fails.

Flower's own stays as a process, and tells that it is well, after the SuperLink refused it: threads
of its servers go on. Whoever starts it, a pod or a unit of systemd, is to see that it ended.
"""

from __future__ import annotations

import os
import sys
import traceback

from flwr.supernode.cli import flower_supernode


def main() -> None:
    """Runs the node in this process until it is stopped, or ends it with 1."""
    sys.argv[0] = "flower-supernode"
    try:
        flower_supernode()
    except Exception:
        # Whatever it is, the node does nothing from now on.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
