"""`wherefore backup`: archives of what a suite keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from shared.backup.create import BackupPlan
    from shared.backup.manifest import Manifest

app = App(name="backup", help="Back up a suite with embedded stores, and restore it.")

Archive = Annotated[Path, Parameter(help="The archive.")]
RetrievalTarget = Annotated[
    str | None,
    Parameter(
        help="HOST:PORT of retrieval, asked for the products while it runs;"
        " WHEREFORE_ORCHESTRATOR_RETRIEVAL_TARGET or 127.0.0.1:7702 when absent."
    ),
]


@app.command
def create(
    *,
    out: Annotated[
        Path | None,
        Parameter(
            help="The archive, or a folder for it; backups/ in the suite's state when absent."
        ),
    ] = None,
    with_keys: Annotated[
        bool,
        Parameter(
            negative="",
            help="Put the keys in too, which open the events and sign tokens: keep such an archive"
            " as you keep keys.",
        ),
    ] = False,
    json: Json = False,
    target: RetrievalTarget = None,
) -> int:
    """Make an archive of what the suite keeps, while it runs or while it is stopped.

    Products, events, consent, experiments, what ranking learnt, budgets and audit logs, of all
    tenants. Everything acknowledged before the command began is in it.

    For example:

        wherefore backup create

        wherefore backup create --out /mnt/backups --with-keys
    """
    plan = _plan(out, with_keys=with_keys)
    with _in_words():
        manifest = asyncio.run(_create(plan, target))
    if with_keys:
        failures.say("the archive holds keys: who has it can read all events, and sign tokens")
    elif manifest.left_out:
        failures.say(
            f"left out: {len(manifest.left_out)} files of keys, without which events cannot be"
            " read; keep a copy of them elsewhere, or use --with-keys"
        )
    _show(plan.archive, manifest, json=json)
    return failures.OK


@app.command(name="list")
def list_archives(
    folder: Annotated[
        Path | None,
        Parameter(help="Folder of archives; backups/ in the suite's state when absent."),
    ] = None,
    /,
    *,
    json: Json = False,
) -> int:
    """List the archives of a folder, newest first; each is read whole.

    For example:

        wherefore backup list

        wherefore backup list /mnt/backups --json
    """
    from shared.backup.archive import SUFFIX, read
    from shared.backup.manifest import BackupError

    where = folder or _home() / "backups"
    if folder is not None and not folder.is_dir():
        raise failures.CommandError(f"{folder}: no such folder", code=failures.USAGE)
    rows: list[dict[str, Any]] = []
    for path in sorted(where.glob(f"*{SUFFIX}"), key=lambda path: path.name, reverse=True):
        try:
            rows.append(_summary(path, read(path)))
        except (BackupError, OSError) as error:
            rows.append({"archive": str(path), "problem": str(error)})
    if json:
        output.print_json(rows)
        return failures.OK
    for row in rows:
        print(row["problem"] if "problem" in row else _line(row), flush=True)
    if not rows:
        print(f"no archives in {where}", flush=True)
    return failures.OK


@app.command
def verify(archive: Archive, /, *, json: Json = False) -> int:
    """Read an archive from end to end and hold every file against its digest.

    For example:

        wherefore backup verify backups/wherefore-20261127T210000Z.tar.gz
    """
    from shared.backup.archive import read

    with _in_words():
        manifest = read(archive)
    _show(archive, manifest, json=json)
    return failures.OK


@app.command
def restore(
    archive: Archive,
    /,
    *,
    force: Annotated[
        bool,
        Parameter(negative="", help="Move aside what is there, instead of refusing."),
    ] = False,
    json: Json = False,
) -> int:
    """Put an archive into the state of a suite that is stopped and empty.

    It is checked whole before anything is changed. An archive without keys leaves key files that
    are there in their place.

    For example:

        wherefore down
        wherefore backup restore backups/wherefore-20261127T210000Z.tar.gz
        wherefore up --no-import
    """
    from shared.backup import restore as restoring
    from shared.security.settings import SecuritySettings
    from shared.suite import Suite

    home = _home()
    running = [row.name for row in Suite(home).status() if row.state == "running"]
    if running:
        raise failures.CommandError(
            f"the suite runs: {', '.join(running)}", hint="stop it first: `wherefore down`"
        )
    with _in_words():
        manifest, aside = restoring.restore(archive, home, SecuritySettings().dir, force=force)
    for path in aside:
        failures.say(f"what was there is in {path}; delete it once you need it no more")
    if missing := [name for name in manifest.left_out if not (home / name).exists()]:
        failures.say(
            "the archive holds no keys, and these are not there: events cannot be read until you"
            " put them back, before the suite is started"
        )
        for name in missing:
            failures.say(f"  {name}")
    _show(archive, manifest, json=json)
    return failures.OK


def _home() -> Path:
    from shared.cli.config import CliSettings

    return CliSettings().home


def _plan(out: Path | None, *, with_keys: bool) -> BackupPlan:
    from shared.backup.archive import SUFFIX
    from shared.backup.create import BackupPlan, archive_name, now
    from shared.cli.app import version_text
    from shared.security.settings import SecuritySettings

    home = _home()
    archive = out or home / "backups"
    if not archive.name.endswith(SUFFIX):
        archive = archive / archive_name(now())
    return BackupPlan(home, SecuritySettings().dir, archive, version_text(), with_keys)


async def _create(plan: BackupPlan, target: str | None) -> Manifest:
    from shared.backup.create import create as create_backup
    from shared.cli.config import CliSettings
    from shared.cli.connection import connect

    address = target or CliSettings().orchestrator_retrieval_target
    async with connect(address, retry=False) as channel:
        return await create_backup(plan, channel, failures.say)


def _summary(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "archive": str(path),
        "archive_bytes": path.stat().st_size,
        "began_at": manifest.began_at.isoformat(timespec="seconds"),
        "seconds": (manifest.ended_at - manifest.began_at).total_seconds(),
        "wherefore_version": manifest.wherefore_version,
        "files": len(manifest.files),
        "bytes": manifest.size_bytes,
        "with_keys": manifest.with_keys,
        "logs": manifest.logs,
        "products": {
            tenant: position.model_dump() for tenant, position in manifest.products.items()
        },
    }


def _line(row: dict[str, Any]) -> str:
    products = sum(position["product_count"] for position in row["products"].values())
    keys = "with keys" if row["with_keys"] else "without keys"
    known = f", {products:,} products" if row["products"] else ""
    return (
        f"{row['archive']}: {row['began_at']}, {row['files']} files{known},"
        f" {row['bytes'] / 1e6:.1f} MB in {row['archive_bytes'] / 1e6:.1f} MB, {keys}"
    )


def _show(path: Path, manifest: Manifest, *, json: bool) -> None:
    summary = _summary(path, manifest)
    if json:
        output.print_json(summary)
    else:
        print(_line(summary), flush=True)


@contextmanager
def _in_words() -> Generator[None]:
    """Turns what files and archives fail with into words."""
    import sqlite3

    from shared.backup.manifest import BackupError

    try:
        yield
    except BackupError as error:
        raise failures.CommandError(str(error)) from error
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise failures.CommandError(f"{name}{error.strerror or error}") from error
    except sqlite3.Error as error:
        raise failures.CommandError(f"a log cannot be copied: {error}") from error
