"""Characters that a short text of a request must not hold."""

import re
from typing import Final

CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
"""C0 and C1 controls and the separators that break lines; plain white space is folded."""
