"""What was learnt, on disk: read at the start, so that the log is followed from where it stood.

JSON with every array as the base64 of its bytes, so that what is read is what was written, bit for
bit.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from shared.durable_file import write_durably

_FORMAT: Final = 1
_FLOATS: Final = "<f8"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the place in the log up to which it knows it."""

    log_id: str
    sequence: int
    state: dict[str, Any]


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Returns the same bytes for the same checkpoint."""
    document = {
        "format": _FORMAT,
        "log_id": checkpoint.log_id,
        "sequence": checkpoint.sequence,
        "state": _packed(checkpoint.state),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replaces the file: after a crash it is the one before, or this one whole.

    Raises:
        OSError: It cannot be written.
    """
    write_durably(path, to_bytes(checkpoint))


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Reads the file; None where there is none.

    Raises:
        ValueError: It is no checkpoint of this format.
        OSError: It cannot be read.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    try:
        if document["format"] != _FORMAT:
            raise ValueError(f"format {document['format']} is not {_FORMAT}")
        return Checkpoint(
            str(document["log_id"]), int(document["sequence"]), _unpacked(document["state"])
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no checkpoint: {error!r}") from error


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        array = cast("NDArray[np.float64]", value)
        data = base64.b64encode(np.ascontiguousarray(array, dtype=_FLOATS).tobytes()).decode()
        return {"shape": list(array.shape), "floats": data}
    if isinstance(value, dict):
        return {key: _packed(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_packed(each) for each in cast("list[Any]", value)]
    return value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        if fields.keys() == {"shape", "floats"}:
            data = base64.b64decode(fields["floats"])
            return np.frombuffer(data, dtype=_FLOATS).reshape(fields["shape"]).copy()
        return {key: _unpacked(each) for key, each in fields.items()}
    if isinstance(value, list):
        return [_unpacked(each) for each in cast("list[Any]", value)]
    return value
