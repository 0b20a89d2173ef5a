"""The server's app: `flwr run` sends it to a SuperLink, which runs `app` over its SuperNodes.

The run configuration holds `RunSettings` in dashes, and `task` (file), `out` (folder),
`least-shops` (nodes to wait for) and `wait-seconds`.
"""

from __future__ import annotations

import logging
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp
from pydantic import ValidationError

from shared.federated.errors import FederatedError
from shared.federated.flower.rounds import run_rounds
from shared.federated.models import Task
from shared.federated.result import write_result
from shared.federated.settings import RunSettings
from shared.model_faults import told

_OWN: Final = ("task", "out", "least-shops", "wait-seconds")
_PAUSE_SECONDS: Final = 1.0

logger = logging.getLogger("shared.federated")
app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Waits for the shops, trains, and writes the model.

    Raises:
        FederatedError: The configuration is wrong, or too few shops came.
    """
    configured = context.run_config
    settings = run_settings(configured)
    out = Path(str(configured["out"]))
    if not out.is_absolute():
        raise FederatedError(f"out {str(out)!r}: name the folder from the root (/)")
    if settings.private and find_spec("opacus") is None:
        raise FederatedError(
            "noise: Opacus, which counts its privacy, is not installed at the server; the image "
            "federated-private has it"
        )
    task = Task.load(Path(str(configured["task"])))
    known = _wait(grid, int(str(configured["least-shops"])), float(str(configured["wait-seconds"])))
    weights = run_rounds(
        grid,
        task.model().initial(),
        settings,
        folder=out,
        about={"task": task.model_dump(mode="json")},
        on_round=lambda number, _: logger.warning("round %d of %d", number, settings.rounds),
    )
    write_result(out, task, weights, settings, known)


def run_settings(configured: Any) -> RunSettings:
    """Reads a run configuration.

    Raises:
        FederatedError: A setting is unknown or out of its range.
    """
    given = {key.replace("-", "_"): each for key, each in configured.items() if key not in _OWN}
    try:
        return RunSettings.model_validate(given)
    except ValidationError as error:
        raise FederatedError(f"run configuration: {told(error)}") from error


def _wait(grid: Grid, least: int, seconds: float) -> int:
    """Returns how many nodes are connected, once there are enough."""
    until = time.monotonic() + seconds
    while (known := len(list(grid.get_node_ids()))) < least:
        if time.monotonic() > until:
            raise FederatedError(f"{known} of {least} shops connected within {seconds:g} s")
        time.sleep(_PAUSE_SECONDS)
    return known
