"""Build hook that generates the gRPC stubs; `python hatch_build.py` does the same by hand.

The stubs land in `wherefore/`, which git ignores: they are an artefact of `protos/`. The
client's hook (`clients/python/hatch_build.py`) has them made elsewhere.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent
PROTOS = ROOT / "protos"
STUBS = ROOT / "wherefore"


def generate(into: Path = STUBS) -> None:
    """Write messages, services and their type stubs for every file below `protos/`.

    Args:
        into: Folder of the package `wherefore`, replaced as a whole.
    """
    import grpc_tools
    from grpc_tools import protoc

    files = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    # A fresh folder, so that a removed message leaves no stale module behind.
    staging = into.parent / ".stubs"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    # Found beside this interpreter too, so that the environment need not be activated.
    search = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    plugins = [
        f"--plugin={name}={shutil.which(name, path=search)}"
        for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    code = protoc.main(
        [
            "protoc",
            *plugins,
            f"--proto_path={PROTOS}",
            f"--proto_path={well_known}",
            f"--python_out={staging}",
            f"--grpc_python_out={staging}",
            f"--mypy_out={staging}",
            f"--mypy_grpc_out={staging}",
            *files,
        ]
    )
    if code != 0:
        sys.exit(f"protoc failed with code {code}; `buf lint` says more")
    for folder in (staging / "wherefore").rglob("*"):
        if folder.is_dir():
            (folder / "__init__.py").touch()
    for name in ("__init__.py", "py.typed"):
        (staging / "wherefore" / name).touch()
    shutil.rmtree(into, ignore_errors=True)
    (staging / "wherefore").rename(into)
    shutil.rmtree(staging)


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, without the build back end
    BuildHookInterface = object


class StubsHook(BuildHookInterface):  # type: ignore[misc,valid-type]
    """Generates the stubs before hatchling packs them."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Called by hatchling for wheels, editable ones included."""
        generate()


if __name__ == "__main__":
    generate()
