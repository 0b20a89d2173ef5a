"""Adds a key to a key file: `python -m services.orchestrator.event_files FILE`."""

import argparse
import sys
from pathlib import Path

from shared.privacy.sealing import add_key


def main(arguments: list[str] | None = None) -> int:
    """Puts a new key first in a file, and prints its id; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.orchestrator.event_files",
        description="Put a new key first in a key file, which is made where it is not there.",
    )
    parser.add_argument("file", type=Path, help="the file, readable by its owner alone")
    try:
        print(f"key {add_key(parser.parse_args(arguments).file)} is the current one")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
