"""`wherefore status`: what runs."""

from __future__ import annotations

import dataclasses

from shared.cli import failures, output
from shared.cli.options import Json


def status(*, json: Json = False) -> int:
    """Show what runs and whether it is ready.

    Exits with 0 when every service is ready, with 3 when one is not.

    For example:

        wherefore status

        wherefore status --json
    """
    from shared.cli import suite_view
    from shared.cli.config import CliSettings
    from shared.cli.suite_options import remembered_triton
    from shared.suite import Suite

    home = CliSettings().home
    rows = Suite(home, triton=remembered_triton(home)).status()
    ready = all(row.health == "SERVING" for row in rows if row.state != "absent")
    if json:
        output.print_json({"ready": ready, "processes": [dataclasses.asdict(row) for row in rows]})
    else:
        output.console().print(suite_view.status_table(rows))
    return failures.OK if ready else failures.UNAVAILABLE
