"""The file of forecasts: JSON lines, first what it is, then a product each.

It is written beside its place and put there when it is whole, so that no reader sees half of one,
and a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypedDict

from pydantic import Field, ValidationError

from shared.demand.forecast import LONGEST_HORIZON, Forecast
from shared.durable_file import sync_folder
from shared.model_faults import told
from shared.strict_model import StrictModel

VERSION: Final = 1
MAX_BYTES: Final = 1_000_000_000


class ForecastFileError(ValueError):
    """A file that holds no forecasts; says where and why."""


class Header(StrictModel):
    """The first line."""

    wherefore_demand: int = VERSION
    """Version of the form."""
    start: date
    """The first day that is forecast."""
    horizon: int = Field(ge=1, le=LONGEST_HORIZON)
    """Days from there on."""
    events: str
    """What tells one log of events from another."""


class _Row(StrictModel):
    product_id: str = Field(min_length=1, max_length=128)
    method: str
    daily: tuple[float, ...]
    total: float = Field(ge=0, allow_inf_nan=False)
    quantiles: dict[float, float]
    history_days: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """A whole file."""

    start: date
    horizon: int
    events: str
    """What tells the log of events that it was made of from another."""
    by_product: Mapping[str, Forecast]


class _Line(TypedDict):
    product_id: str
    method: str
    daily: list[float]
    total: float
    quantiles: dict[float, float]
    history_days: int


class ForecastDraft:
    """Forecasts that are written as they come.

    Args:
        path: Where the whole file is put in the end.
        header: Of the file: a draft with another one is begun anew.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._header = header.model_dump_json()
        self.done: set[str] = set()
        """Products that are in it."""

    def open(self) -> bool:
        """Reads the draft; returns whether there is one to go on with.

        Raises:
            OSError: It cannot be read or written.
        """
        lines: list[bytes] = []
        if self._part.exists():
            # What has no end was being written when the run stopped.
            lines = [
                line for line in self._part.read_bytes().splitlines(True) if line[-1:] == b"\n"
            ]
        if not lines or lines[0].decode("utf-8", "replace").strip() != self._header:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._part.write_text(self._header + "\n", encoding="utf-8")
            return False
        os.truncate(self._part, sum(map(len, lines)))
        self.done = {json.loads(line)["product_id"] for line in lines[1:]}
        return bool(self.done)

    def add(self, forecasts: Sequence[Forecast]) -> None:
        """Appends forecasts; they are on disk when it returns.

        Raises:
            OSError: They cannot be written.
        """
        with self._part.open("a", encoding="utf-8") as file:
            for each in forecasts:
                file.write(json.dumps(_line(each), ensure_ascii=False) + "\n")
                self.done.add(each.product_id)
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        """Puts the draft in the place of the file.

        Raises:
            OSError: It cannot be put there.
        """
        self._part.replace(self._path)
        sync_folder(self._path.parent)


def read_forecasts(path: Path) -> Forecasts:
    """Reads a file.

    Raises:
        ForecastFileError: It cannot be read, or is wrong; the first fault is told with its line.
    """
    number = 1
    found: dict[str, Forecast] = {}
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ForecastFileError(f"{path.name}: larger than {MAX_BYTES:,} bytes")
        with path.open(encoding="utf-8") as file:
            header = Header.model_validate_json(file.readline())
            if header.wherefore_demand != VERSION:
                raise ForecastFileError(
                    f"{path.name}, line 1: of version {header.wherefore_demand}"
                )
            for number, line in enumerate(file, start=2):
                row = _Row.model_validate_json(line)
                if len(row.daily) != header.horizon:
                    raise ForecastFileError(
                        f"{path.name}, line {number}: {len(row.daily)} days, not {header.horizon}"
                    )
                found[row.product_id] = Forecast(**_fields(row))
    except OSError as error:
        raise ForecastFileError(f"{path.name}: {error.strerror or error}") from error
    except ValidationError as error:
        raise ForecastFileError(f"{path.name}, line {number}: {told(error)}") from error
    except UnicodeDecodeError as error:
        raise ForecastFileError(f"{path.name}, line {number}: is not UTF-8") from error
    return Forecasts(header.start, header.horizon, header.events, found)


def _fields(row: _Row) -> dict[str, Any]:
    return row.model_dump()


def _line(forecast: Forecast) -> _Line:
    return {
        "product_id": forecast.product_id,
        "method": forecast.method,
        "daily": [round(value, 4) for value in forecast.daily],
        "total": round(forecast.total, 4),
        "quantiles": forecast.quantiles,
        "history_days": forecast.history_days,
    }
