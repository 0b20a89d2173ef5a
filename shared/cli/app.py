"""The command tree. Commands are named by import path and loaded when they are asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError, Parameter

from shared.cli import failures

_COMMANDS = {
    "up": "up:up",
    "down": "down:down",
    "status": "status:status",
    "top": "top:top",
    "search": "search:search",
    "explain": "explain:explain",
    "recommend": "recommend:recommend",
    "complete": "complete:complete",
    "parse": "parse:parse",
    "assistant": "assistant:app",
    "summarise": "summarise:summarise",
    "tags": "tags:app",
    "classify": "classify:classify",
    "catalogue": "catalogue:app",
    "import": "import_:import_catalogue",
    "products": "products:app",
    "events": "events:app",
    "experiment": "experiment:app",
    "eval": "evaluate:app",
    "label": "label:app",
    "train": "train:app",
    "evaluate": "evaluate_model:app",
    "security": "security:app",
    "reindex": "reindex:reindex",
    "backup": "backup:app",
    "plan": "plan:plan",
    "demand": "demand:app",
    "terms": "terms:app",
}


def version_text() -> str:
    """Return the version that is installed."""
    try:
        return version("wherefore")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "unknown"


def _show_default(value: object) -> str | None:
    """Defaults that mean "nothing" are not worth a place in the help."""
    return None if value in (None, "", (), False) else str(value)


def build_app() -> App:
    """Make the command tree."""
    app = App(
        name="wherefore",
        help="""Search and recommendation that says why.

Exit codes: 0 done; 1 failed; 2 the command or its arguments are wrong;
3 the suite cannot be reached or has no time; 130 interrupted.
With --json, standard output holds JSON alone; messages go to standard error.""",
        help_format="plaintext",
        version=version_text,
        default_parameter=Parameter(show_default=_show_default),
        suppress_keyboard_interrupt=False,
        result_action="return_value",
    )
    for name, path in _COMMANDS.items():
        app.command(f"shared.cli.commands.{path}", name=name)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Args:
        arguments: What follows the command's name; the process's own when None.

    Returns:
        The exit code.
    """
    app = build_app()
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if not tokens or tokens[0] in app.help_flags:
        # The list of commands shows their first lines, which cyclopts knows only once loaded.
        for name in _COMMANDS:
            app[name]
    try:
        result = app(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        return failures.report_usage(str(error))
    except KeyboardInterrupt:
        return failures.report_interrupt()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; the interpreter must not flush into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failures.OK
    except Exception as error:
        code = failures.report(error)
        if code is None:
            raise
        return code
    return result if isinstance(result, int) else failures.OK
