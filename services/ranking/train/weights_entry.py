"""A linear ranker that shops trained together, as weights that the ranking service reads."""

from pathlib import Path
from typing import Final

import numpy as np
from pydantic import ValidationError

from services.ranking.weights import Weights
from shared.federated.errors import FederatedError
from shared.federated.result import Result
from shared.inference.entries import add_version, next_version
from shared.model_faults import told

WEIGHTS_FILE: Final = "weights.json"
SERVING: Final = "search"


def write_weights_entry(result: Result, repository: Path, name: str, base: Weights) -> Path:
    """Writes the next version of an entry whose `weights.json` the ranking service reads.

    The order of products does not depend on how long the weights are together, but what else reads
    scores does; so they are made as long as the ones whose place they take.

    Args:
        result: Of a run over pages.
        repository: The model repository; made when absent.
        name: Of the entry.
        base: All that the run did not train: the other rankings, variety, calibration.

    Returns:
        The folder of the version.

    Raises:
        FederatedError: The model does not fit the features that are served, or the name is none.
        OSError: It cannot be written.
    """
    [trained] = result.weights
    before = base.serving[SERVING]
    length, wanted = (
        float(np.linalg.norm(each)) for each in (trained, np.array(list(before.weights.values())))
    )
    if not length:
        raise FederatedError("the model is still as it began: every weight is 0")
    scaled = (trained * (wanted / length)).tolist()
    try:
        version = next_version(repository, name)
    except ValueError as error:
        raise FederatedError(str(error)) from error
    model = f"{name}@{version}"
    # Weights that differ by language were chosen beside others.
    serving = {
        "version": model,
        "weights": dict(zip(result.task.names, scaled, strict=True)),
        "diversity": before.diversity.model_dump(),
    }
    content = base.model_dump()
    content["serving"] = {**content["serving"], SERVING: serving}
    try:
        made = Weights.model_validate(content)
    except ValidationError as error:
        raise FederatedError(told(error)) from error
    data = (made.model_dump_json(indent=1) + "\n").encode()
    card = _card(result, model, before.version)
    return add_version(repository / name, version, {WEIGHTS_FILE: data}, card)


def _card(result: Result, model: str, before: str) -> str:
    return f"""# {model.partition("@")[0]}: weights of the ranker

`{model}`: a linear scorer over {len(result.task.names)} features, trained over several shops' data
without pooling it (docs/federated.md), in place of `{before}` of the file it was made from; all
else in it is as it was.

{result.told()}
- **Limits**: it learnt from clicks with one curve for how likely each place is looked at. Weights
  that differ by language are left out. Try it as a candidate before it serves
  (`WHEREFORE_RANKING_CANDIDATE_WEIGHTS_PATH`).
"""
