"""YAML files that people write for a service, checked whole when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import yaml
from pydantic import ValidationError

from shared.model_faults import told
from shared.strict_model import StrictModel

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 5_000_000


class YamlFileError(ValueError):
    """A file that cannot be read or is wrong; the text names it and the place."""


_Model = TypeVar("_Model", bound=StrictModel)


def read_yaml(path: Path, model: type[_Model], max_bytes: int = MAX_BYTES) -> _Model:
    """Reads a file; an empty one is an empty mapping.

    Raises:
        YamlFileError: It cannot be read, or is wrong.
    """
    try:
        data = path.read_bytes()
        if len(data) > max_bytes:
            raise YamlFileError(f"{path}: larger than {max_bytes:,} bytes")
        loaded = yaml.safe_load(data)
        return model.model_validate({} if loaded is None else loaded)
    except OSError as error:
        raise YamlFileError(f"{path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise YamlFileError(f"{path}: {error}") from error
    except ValidationError as error:
        raise YamlFileError(f"{path}: {told(error)}") from error
