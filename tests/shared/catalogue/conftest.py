"""The bundled catalogue and what it is generated from."""

import pytest

from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.catalogue.generate.vocabulary import read_vocabulary


@pytest.fixture(scope="package")
def vocabulary():
    return read_vocabulary()


@pytest.fixture(scope="package")
def products():
    rows = list(read_catalogue(bundled_catalogue_path()))
    assert [str(row.error) for row in rows if row.error] == []
    return [row.product for row in rows]
