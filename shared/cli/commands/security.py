"""`wherefore security`: certificates, API keys and the audit log."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from shared.cli import failures, output
from shared.cli.options import Json

if TYPE_CHECKING:
    from shared.security.settings import SecuritySettings

app = App(name="security", help="Make certificates and API keys, and check the audit log.")
audit = App(name="audit", help="Check the audit log.")
app.command(audit)

Folder = Annotated[
    Path | None, Parameter(name="--dir", help="Folder of certificates and keys; as the settings.")
]
SECONDS_A_DAY = 86_400


@app.command
def init(
    *,
    dir: Folder = None,  # noqa: A002 - the option is called --dir
    host: Annotated[
        tuple[str, ...], Parameter(help="Name or address that services are reached by; repeat it.")
    ] = (),
    days: Annotated[int, Parameter(help="How long certificates are good for.")] = 90,
) -> int:
    """Make an authority, a certificate for each service, and an operator's key.

    Run it again to renew the certificates: running services take them within a second.

    For example:

        wherefore security init --dir .wherefore/security
    """
    from shared.security.setup import set_up

    folder = _folder(dir)
    with _telling():
        made = set_up(folder, hosts=host, days=days)
    print(f"{folder}: {', '.join(made)}")
    failures.say("turn security on with WHEREFORE_SECURITY_ENABLED=true")
    failures.say(f"and WHEREFORE_SECURITY_DIR={folder.resolve()}")
    failures.say("ca.key signs certificates: keep it on no machine that serves")
    return failures.OK


@app.command
def key(
    name: Annotated[str, Parameter(help="Who is to hold it; stands in logs.")],
    /,
    *,
    role: Annotated[
        tuple[str, ...], Parameter(help="shopper, shop, catalogue or operator; repeat it.")
    ],
    tenant: Annotated[str, Parameter(help="Whose data it opens.")] = "",
    account: Annotated[
        tuple[str, ...], Parameter(help="Account whose terms it may ask by; repeat it.")
    ] = (),
    days: Annotated[int, Parameter(help="How long it is good for; 0 for ever.")] = 0,
    calls_per_second: Annotated[
        float | None, Parameter(help="Limit of its own; 0 for none.")
    ] = None,
    dir: Folder = None,  # noqa: A002 - the option is called --dir
) -> int:
    """Make an API key and print it: it is shown once.

    For example:

        wherefore security key shop-web --role shopper --tenant acme --days 90
    """
    from shared.security.api_keys import new_key
    from shared.security.removed_tenants import read_removed

    settings = _settings(dir)
    with _telling():
        if tenant in read_removed(settings.removed_tenants_file):
            raise failures.CommandError(f"tenant {tenant} was removed; use another name")
        made = new_key(
            settings.api_keys_file,
            name,
            role,
            tenant=tenant,
            accounts=account,
            expires=round(time.time()) + days * SECONDS_A_DAY if days else 0,
            calls_per_second=calls_per_second,
        )
    print(made)
    return failures.OK


@app.command
def keys(*, dir: Folder = None, json: Json = False) -> int:  # noqa: A002 - the option is called --dir
    """List the API keys, without their secrets."""
    from shared.security.api_keys import listed

    with _telling():
        found = listed(_settings(dir).api_keys_file)
    if json:
        output.print_json([each.model_dump(mode="json", exclude={"sha256"}) for each in found])
        return failures.OK
    for each in found:
        ends = time.strftime("until %Y-%m-%d", time.gmtime(each.expires)) if each.expires else ""
        state = "disabled" if each.disabled else ends
        print(
            f"{each.id}  {each.name}  {each.tenant or '-'}  {','.join(sorted(each.roles))}  {state}"
        )
    return failures.OK


@app.command
def revoke(
    key_id: Annotated[str, Parameter(help="As `keys` lists it.")],
    /,
    *,
    dir: Folder = None,  # noqa: A002 - the option is called --dir
) -> int:
    """Take an API key back; services refuse it within a second."""
    from shared.security import api_keys

    with _telling():
        was_there = api_keys.revoke(_settings(dir).api_keys_file, key_id)
    if not was_there:
        raise failures.CommandError(f"there is no key {key_id}")
    print(f"{key_id} is revoked")
    return failures.OK


@app.command(name="remove-tenant")
def remove_tenant(
    tenant: Annotated[str, Parameter(help="Whose data is deleted.")],
    /,
    *,
    yes: Annotated[
        bool, Parameter(negative="", help="Do it: nothing brings the data back.")
    ] = False,
    wait: Annotated[float, Parameter(help="Seconds to wait until services have done it.")] = 60,
    dir: Folder = None,  # noqa: A002 - the option is called --dir
) -> int:
    """Delete all that is kept of a tenant, and take its keys back.

    Every service does it by itself within a second, or when it starts; the audit logs tell when it
    is done. Given again, it does what is left and waits for that. The name cannot be used anew.

    For example:

        wherefore security remove-tenant acme --yes
    """
    from shared.cli.tenant_removal import remove

    if not yes:
        raise failures.CommandError(
            f"this deletes products, events and all else of {tenant}, for good", hint="add --yes"
        )
    with _telling():
        return remove(_settings(dir), tenant, wait)


@audit.command
def verify(
    file: Annotated[Path, Parameter(help="Log of one service, such as orchestrator.jsonl.")],
    /,
    *,
    dir: Folder = None,  # noqa: A002 - the option is called --dir
) -> int:
    """Check that no line of an audit log was changed, left out or put in.

    Prints the number of entries and the hash of the last: lines cut off at the end show only
    beside a hash that was kept elsewhere.

    For example:

        wherefore security audit verify .wherefore/audit/orchestrator.jsonl
    """
    from shared.security.audit_chain import ChainError
    from shared.security.audit_chain import verify as verify_chain

    key_file = _settings(dir).audit_key_file
    try:
        found = verify_chain(file, key_file.read_bytes() if key_file.exists() else b"")
    except (OSError, ChainError) as error:
        raise failures.CommandError(f"{file}: {error}") from error
    print(f"{found.entries} entries, the last is {found.head}")
    return failures.OK


@contextmanager
def _telling() -> Generator[None]:
    """Tells what is wrong with a file or an argument."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise failures.CommandError(str(error)) from error


def _folder(chosen: Path | None) -> Path:
    return _settings(chosen).dir


def _settings(chosen: Path | None) -> SecuritySettings:
    from shared.security.settings import SecuritySettings

    return SecuritySettings(dir=chosen) if chosen else SecuritySettings()
