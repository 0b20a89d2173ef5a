"""`wherefore down`: stops the suite."""

from __future__ import annotations

from shared.cli import failures


def down() -> int:
    """Stop the suite; what was imported stays.

    Calls in flight are finished first.

    For example:

        wherefore down
    """
    from shared.cli import suite_view
    from shared.cli.config import CliSettings
    from shared.suite import Suite, SuiteError

    stopped: list[str] = []
    with suite_view.process_progress() as tell:

        def note(name: str, state: str) -> None:
            stopped.append(name)
            tell(name, state)

        try:
            Suite(CliSettings().home).down(note)
        except SuiteError as error:
            raise failures.CommandError(str(error)) from error
    if not stopped:
        print("nothing was running", flush=True)
    return failures.OK
