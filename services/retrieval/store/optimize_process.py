"""Builds the HNSW graph of the shard in a folder: `python optimize_process.py FOLDER`.

A process of its own, because the engine's `optimize` keeps Python's interpreter lock while it runs:
in a thread of the service it would stop every request for as long as half a minute.
"""

import os
import sys

import qdrant_edge as qe

_NICENESS = 19  # searches come first


def main() -> int:
    """Optimises the shard in the folder given as the argument."""
    os.nice(_NICENESS)
    shard = qe.EdgeShard.load(sys.argv[1])
    shard.optimize()
    shard.flush()
    shard.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
