"""An intent head that shops trained together, as an entry of the model repository."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from services.nlu.learnt.intent_head import (
    CONFIG_FILE,
    HEAD_FILE,
    INTENT,
    LABELS_FILE,
    HeadConfig,
    check_fit,
    suite_label,
)
from shared.errors import UnavailableError
from shared.federated.errors import FederatedError
from shared.federated.result import Result
from shared.inference.entries import add_version, next_version
from shared.model_faults import told


def write_intent_entry(result: Result, repository: Path, name: str) -> Path:
    """Writes the next version of an entry that the NLU service serves (`intent_heads`).

    Args:
        result: Of a run over intents.
        repository: The model repository; the reader that the rows were made by lies in it.
        name: Of the entry.

    Returns:
        The folder of the version.

    Raises:
        FederatedError: The model does not fit the reader, or the name is none.
        OSError: It cannot be written.
    """
    task = result.task
    if not task.encoder:
        raise FederatedError(
            "the task does not say which model made the vectors: prepare the rows anew"
        )
    labels = [suite_label(each) for each in task.names]
    weights, bias = result.weights
    held = io.BytesIO()
    arrays: dict[str, Any] = {
        "weights": weights.astype(np.float32),
        "bias": bias.astype(np.float32),
    }
    np.savez_compressed(held, **arrays)
    try:
        files = {
            HEAD_FILE: held.getvalue(),
            LABELS_FILE: _json({INTENT: {"kind": "classes", "labels": labels, "temperature": 1.0}}),
            CONFIG_FILE: _json(HeadConfig(encoder=task.encoder).model_dump()),
        }
        check_fit(labels, task.width, task.encoder, repository)
        version = next_version(repository, name)
        card = _card(result, f"{name}@{version}", labels)
        return add_version(repository / name, version, files, card)
    except ValidationError as error:
        raise FederatedError(f"task: {told(error)}") from error
    except (UnavailableError, ValueError) as error:
        raise FederatedError(str(error)) from error


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _card(result: Result, model: str, labels: list[str]) -> str:
    name = model.partition("@")[0]
    return f"""# {name}: which of {len(labels)} intents a text has

`{model}`: a softmax head over the vectors of `{result.task.encoder}`, trained over several shops'
data without pooling it (docs/federated.md). The NLU service adds it to that model's own pass:
`WHEREFORE_NLU_INTENT_HEADS='["{name}"]'`.

{result.told()}
- **Labels**: {", ".join(f"`{each}`" for each in labels)}.
- **Limits**: it knows the labels above and no others, and reads the vectors of that version of
  that model alone. What the shops' utterances lack, it never saw; measure it on your own
  (`wherefore eval nlu --task intents_en`).
"""
