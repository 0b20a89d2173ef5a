"""Generator of the bundled catalogue: `python -m shared.catalogue.generate --seed 7 --out FILE`.

Words come from `shared/catalogue/data/vocabulary/`, one file a category; chance comes from the seed
alone, so that the same seed and vocabulary give the same bytes.
"""

from shared.catalogue.generate.catalogue import DEFAULT_SEED, generate_products
from shared.catalogue.generate.files import catalogue_lines, write_catalogue

__all__ = ["DEFAULT_SEED", "catalogue_lines", "generate_products", "write_catalogue"]
