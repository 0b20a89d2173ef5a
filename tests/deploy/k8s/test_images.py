"""Images of the manifests are those that the Dockerfile builds, run as these want to be run."""

import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.deploy.k8s.rendering import ROOT, needs_kubectl, render
from tests.deploy.k8s.test_overlays import OPTIONAL, with_components
from tests.deploy.k8s.workloads import Workload, lasting, workloads

pytestmark = needs_kubectl
FOLDERS = ("overlays/dev", "overlays/prod", "overlays/shop", "jobs/train", "jobs/train-many")
_STAGE = re.compile(r"^FROM (\S+) AS (\S+)$", re.MULTILINE)
OURS = "wherefore/"


@cache
def stages() -> dict[str, tuple[str, str]]:
    """Returns the stages of the Dockerfile: by name, what each is from and what it says."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    found = list(_STAGE.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    return {
        each[2]: (each[1], text[each.end() : end]) for each, end in zip(found, ends, strict=True)
    }


def said(stage: str, instruction: str) -> str:
    """Returns the last that a stage, or one that it is from, says by an instruction."""
    source, text = stages()[stage]
    found = re.findall(rf"^{instruction} +(.+)$", text, re.MULTILINE)
    return found[-1] if found else said(source, instruction) if source in stages() else ""


def ours(objects: list) -> list[tuple[Workload, str, str]]:
    """Returns workloads with our images, with the name of the image and its tag."""
    return [
        (workload, *container["image"].removeprefix(OURS).split(":"))
        for workload in workloads(objects)
        for container in workload.containers
        if container["image"].startswith(OURS)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_image_is_a_target_and_its_tag_is_this_version(folder: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = ours(render(folder))
    assert found
    for workload, image, tag in found:
        assert image in stages(), str(workload)
        assert tag == project["version"], str(workload)


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_run_as_the_user_of_their_image(folder: str) -> None:
    for workload, image, _ in ours(render(folder)):
        security = workload.pod["securityContext"]
        user, group = security["runAsUser"], security["runAsGroup"]
        assert said(image, "USER") == f"{user}:{group}", str(workload)


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_an_image_writes_to_is_a_volume(folder: str) -> None:
    for workload, image, _ in ours(render(folder)):
        # The command line's state lies in the volume of the catalogue that it imports.
        if folder.startswith("overlays") and workload.lasting is False:
            continue
        mounted = {mount["mountPath"] for mount in workload.main["volumeMounts"]}
        if written := said(image, "VOLUME"):
            assert written in mounted, str(workload)
        assert "/tmp" in mounted  # noqa: S108 - the home of its user


def test_triton_is_started_as_its_image_starts_it(tmp_path: Path) -> None:
    for objects, image in (
        (render("overlays/prod"), "triton"),
        (with_components(tmp_path, OPTIONAL), "triton-gpu"),
    ):
        (triton,) = (each for each in lasting(objects) if each.name == "triton")
        assert triton.main["image"].startswith(f"{OURS}{image}:")
        program, *arguments = json.loads(said(image, "ENTRYPOINT"))
        loads = json.loads(said(image, "CMD"))
        assert triton.main["command"] == [program]
        assert {*arguments, *loads} <= set(triton.main["args"])
