"""Files of NumPy arrays that may be damaged."""

import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

UNREADABLE: Final = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)
"""What `open_arrays` and a look for an array raise: no such file, one that is cut off, no array."""


@contextmanager
def open_arrays(path: Path) -> Generator[Any]:
    """Opens a file of `numpy.savez`, without pickles; arrays are found by their names.

    `numpy.load` of a path leaves a damaged file open.

    Raises:
        OSError: As all of `UNREADABLE`: it is no such file, or damaged.
    """
    with path.open("rb") as stream:
        held: Any = np.load(stream, allow_pickle=False)
        if not isinstance(held, np.lib.npyio.NpzFile):
            raise ValueError("holds one array, not several by name")  # noqa: TRY004 - of a file
        with held:
            yield held
