"""`python -m shared.cli` is `wherefore`."""

import sys

from shared.cli.app import main

sys.exit(main())
