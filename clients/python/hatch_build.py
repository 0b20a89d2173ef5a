"""Build hook of the client: packs the stubs that the suite's own generator makes."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StubsHook(BuildHookInterface):
    """Lays the package `wherefore` and the licence beside `wherefore_client`.

    A source distribution holds both, so that a wheel can be built from it without the repository.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling for wheels, editable ones included, and source distributions."""
        here = Path(self.root)
        stubs, licence = here / "wherefore", here / "LICENSE"
        if not stubs.is_dir():
            repository = here.parents[1]
            stubs, licence = here / "build" / "wherefore", repository / "LICENSE"
            runpy.run_path(str(repository / "hatch_build.py"))["generate"](stubs)
        into = "wherefore_client/" if self.target_name == "wheel" else ""
        packed = {str(stubs): "wherefore", str(licence): f"{into}LICENSE"}
        build_data["force_include"].update(packed)
        build_data["force_include_editable"] = packed
