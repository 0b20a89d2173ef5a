"""`python -m shared.federated.flower`, in Flower's environment: shops are registered, runs are run.

    python -m shared.federated.flower register keys --link superlink:9093 --ca ca.crt
    python -m shared.federated.flower run run.toml --out /data/runs/first --link … --ca ca.crt

For who runs a SuperLink, in Kubernetes by the jobs of deploy/k8s/components/federated.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import tomllib
from pathlib import Path

from shared.federated.errors import FederatedError
from shared.federated.flower.control import Link
from shared.federated.flower.operate import register_all, run_to_its_end


def main(arguments: list[str] | None = None) -> int:
    """Does what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.federated.flower",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    register = commands.add_parser("register", help="let the shops of some keys join")
    register.add_argument("keys", type=Path, help="folder of their public keys, NAME.pub")
    run = commands.add_parser("run", help="start a run, or go on with it, and wait for its end")
    run.add_argument("config", type=Path, help="the run configuration (TOML)")
    run.add_argument(
        "--out", type=Path, required=True, help="folder for the model, as the SuperLink sees it"
    )
    for each in (register, run):
        each.add_argument("--link", required=True, help="HOST:PORT of the Control API")
        each.add_argument(
            "--ca", type=Path, required=True, help="certificate of the SuperLink's authority"
        )
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        with tempfile.TemporaryDirectory() as home:
            link = Link(asked.link, asked.ca, Path(home))
            if asked.command == "register":
                register_all(link, asked.keys)
            else:
                config = tomllib.loads(asked.config.read_text(encoding="utf-8"))
                run_to_its_end(link, config, asked.out)
    except (FederatedError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
