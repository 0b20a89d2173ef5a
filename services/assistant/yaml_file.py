"""What a shop writes for the assistant: YAML files, checked whole when they are read."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class StrictModel(BaseModel):
    """A part of a file; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Model = TypeVar("_Model", bound=StrictModel)


def read_yaml(path: Path, model: type[_Model]) -> _Model:
    """Reads a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such file; the text names the place.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        told = f"{place}: {first['msg']}" if place else first["msg"]
        raise ValueError(f"{path}: {told}") from error
