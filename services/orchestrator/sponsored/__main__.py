"""`python -m services.orchestrator.sponsored`: checks campaigns, and tells what was charged."""

import argparse
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

from services.orchestrator.sponsored.campaigns import MICROS, read_campaigns
from services.orchestrator.sponsored.ledger import read_charges
from services.orchestrator.sponsored.pacing import DAY_SECONDS
from shared.yaml_file import YamlFileError


def main(arguments: list[str] | None = None) -> int:
    """Prints how many campaigns a file has or what was charged; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.orchestrator.sponsored",
        description="Check a file of campaigns, or print what clicks were charged.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", type=Path, metavar="FILE", help="file of campaigns, YAML")
    what.add_argument("--charges", type=Path, metavar="FILE", help="ledger, as sponsored.sqlite")
    options = parser.parse_args(arguments)
    if options.charges is not None:
        return _print_charges(options.charges)
    try:
        campaigns = read_campaigns(options.check)
    except YamlFileError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(campaigns.by_id)} campaigns")
    return 0


def _print_charges(path: Path) -> int:
    """Prints CSV: day, campaign, clicks that were charged, and their sum."""
    try:
        rows = read_charges(path)
    except sqlite3.Error as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    print("day,campaign,clicks,amount")
    for row in rows:
        day = datetime.fromtimestamp(row.day * DAY_SECONDS, UTC).date()
        print(f"{day},{row.campaign_id},{row.clicks},{row.micros / MICROS:.6f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
