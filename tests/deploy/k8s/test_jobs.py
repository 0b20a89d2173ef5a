"""Jobs run commands that the programs know, with arguments that these take."""

import re
import shlex
import subprocess
import sys
from typing import Any

import pytest

from shared.cli.app import build_app
from tests.deploy.k8s import pods, references, settings_of
from tests.deploy.k8s.rendering import ROOT, needs_kubectl, render
from tests.deploy.k8s.workloads import Workload, of_kind, workloads

pytestmark = needs_kubectl
BY_HAND = {"import", "reindex", "migrate-events", "qdrant-restore", "redis-restore"}
TRAINING = ("jobs/train", "jobs/train-many")


def jobs(folder: str) -> list[Workload]:
    return [each for each in workloads(render(folder)) if not each.lasting]


@pytest.mark.parametrize("folder", [*TRAINING, "overlays/prod"])
def test_jobs_are_held_to_the_rules_of_all_pods(folder: str) -> None:
    objects = render(folder)
    for check in (pods, references, settings_of):
        assert check.problems(objects) == [], check.__name__


def test_jobs_of_the_command_line_are_commands_of_it() -> None:
    app = build_app()
    seen = set()
    for job in jobs("overlays/prod"):
        if job.app == "tools":
            command, _, _ = app.parse_args(job.main["args"], print_error=False, exit_on_error=False)
            seen.add(command.__name__)
    assert seen == {"import_catalogue", "reindex"}


def test_what_is_done_by_hand_does_not_run_by_itself() -> None:
    suspended = {
        each["metadata"]["name"]
        for each in of_kind(render("overlays/prod"), "CronJob")
        if each["spec"]["suspend"]
    }
    assert suspended == BY_HAND


def test_modules_that_jobs_run_are_there() -> None:
    for job in jobs("overlays/prod"):
        for module in re.findall(r"services[.\w]+", shlex.join(job.main.get("command", []))):
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file(), module


@pytest.mark.parametrize("folder", TRAINING)
def test_training_takes_its_arguments(folder: str) -> None:
    known = _options("services.ranking.train.logs")
    of_torchrun = _options("torch.distributed.run")
    for job in jobs(folder):
        launcher, *arguments = job.main["args"]
        assert launcher == "torch.distributed.run"
        at = arguments.index("-m")
        assert arguments[at + 1] == "services.ranking.train.logs"
        assert {each.partition("=")[0] for each in arguments[:at]} <= of_torchrun
        assert {each.partition("=")[0] for each in arguments[at + 2 :]} <= known


def test_all_processes_of_a_training_are_the_same_but_for_their_number() -> None:
    (job,) = of_kind(render("jobs/train-many"), "PyTorchJob")
    parts: dict[str, Any] = job["spec"]["pytorchReplicaSpecs"]
    assert set(parts) == {"Master", "Worker"}
    assert parts["Master"].pop("replicas") == 1
    assert parts["Worker"].pop("replicas") > 1
    assert parts["Master"] == parts["Worker"]
    # The operator looks for the container of this name.
    assert parts["Master"]["template"]["spec"]["containers"][0]["name"] == "pytorch"


def _options(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True
    )
    return set(re.findall(r"--[a-z][a-z-]+", done.stdout))
