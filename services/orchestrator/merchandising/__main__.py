"""Checks a file of rules: `python -m services.orchestrator.merchandising FILE`."""

import argparse
import sys
from pathlib import Path

from services.orchestrator.merchandising.rule_file import RuleFileError, read_rules


def main(arguments: list[str] | None = None) -> int:
    """Prints how many rules a file has, or what is wrong with it; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.orchestrator.merchandising",
        description="Check a file of merchandising rules, without a running suite.",
    )
    parser.add_argument("file", type=Path, help="the file, YAML")
    try:
        rules = read_rules(parser.parse_args(arguments).file)
    except RuleFileError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(rules)} rules")
    return 0


if __name__ == "__main__":
    sys.exit(main())
