"""What a package needs, by what is installed here."""

from collections.abc import Iterator
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def wanted_by(names: Iterator[Requirement]) -> set[str]:
    """All packages that these need, by what is installed here."""
    todo, found = list(names), set[tuple[str, tuple[str, ...]]]()
    while todo:
        wanted = todo.pop()
        extras = tuple(sorted(wanted.extras))
        name = canonicalize_name(wanted.name)
        if (name, extras) in found or name == "wherefore":
            continue
        found.add((name, extras))
        for line in distribution(name).requires or ():
            further = Requirement(line)
            marker = further.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                todo.append(further)
    return {name for name, _ in found}


def of_project(*extras: str) -> Iterator[Requirement]:
    """What the project itself asks for, with some extras."""
    for line in distribution("wherefore").requires or ():
        wanted = Requirement(line)
        if wanted.marker is None or any(
            wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        ):
            yield wanted
