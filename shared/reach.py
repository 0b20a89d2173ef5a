"""How much more than a product a better one of its kind may cost."""

from typing import Final

DEAREST: Final = 2.0
"""Times the price that a shopper still looks at."""
