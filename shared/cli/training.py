"""Runs the training code in a process of its own: it needs libraries that the suite does without.

The process has the terminal, so its progress bars are those of the command.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from shared.cli import failures
from shared.cli.extras import require_extra

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "safetensors", "sklearn", "tqdm")
"""What the extra `train` brings, by import name."""


def run_training(
    module: str,
    arguments: Sequence[str],
    *,
    extra: str = "train",
    libraries: Sequence[str] | None = None,
) -> int:
    """Run a module of the training code.

    Args:
        module: Its import name.
        arguments: Its command line.
        extra: What has to be installed for it.
        libraries: What that extra brings, by import name; LIBRARIES when None.

    Returns:
        The exit code: that of the module where commands have it too, else "failed".

    Raises:
        CommandError: A library is not installed.
    """
    require_extra(extra, LIBRARIES if libraries is None else libraries)
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command) as process:  # noqa: S603 - our own module
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal's Ctrl-C reached the process as well; it ends by itself.
            process.wait()
            raise
    return code if code in (failures.OK, failures.USAGE) else failures.FAILED
