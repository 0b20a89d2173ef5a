"""What of the images can be checked without a container engine: files, packages, users, starts."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.federated import environment
from shared.inference.settings import QUERY_MODELS, VECTOR_MODEL
from shared.suite.models import served
from shared.suite.ports import ALL, PortPlan
from shared.suite.triton import REQUIREMENTS
from tests.deploy import dockerfile, settings_keys
from tests.deploy.dockerfile import ROOT
from tests.deploy.requirements import of_project, wanted_by

FEDERATED = ("federated", "federated-private")
FINAL = (*ALL, "tools", "train", *FEDERATED, "triton", "triton-gpu")
PYTHON = (*ALL, "tools")
LOCKS = ROOT / "deploy" / "images"
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)

# Imported where no service goes: what exports models shares a module with what reads them.
NEVER_REACHED = {"torch": "shared.inference.onnx_files.write_graph"}


# Loads a model.py as Triton does, and says which packages came in from where.
LOAD = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("model", sys.argv[1])
module = importlib.util.module_from_spec(spec)
before = set(sys.modules)
spec.loader.exec_module(module)
assert module.TritonPythonModel
tops = {name.split(".")[0] for name in set(sys.modules) - before}
files = {name: getattr(sys.modules.get(name), "__file__", None) or "" for name in tops}
print(json.dumps(files))
"""


@lru_cache
def lock(group: str) -> dict[str, str]:
    """What a lock installs on this Python on Linux: name -> version."""
    text = (LOCKS / f"requirements-{group}.txt").read_text("utf-8")
    here = {**default_environment(), "sys_platform": "linux"}
    found: dict[str, str] = {}
    for name, version, marker in PIN.findall(text):
        wanted = Requirement(f"{name}; {marker}" if marker else name)
        if wanted.marker is None or wanted.marker.evaluate(here):
            found[canonicalize_name(name)] = version
    return found


@lru_cache
def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def of_file(name: str) -> Iterator[Requirement]:
    for line in (LOCKS / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield Requirement(line)


@pytest.mark.parametrize("group", ["services", "ranking", "tools", "train", "build"])
def test_locks_agree_with_the_constraints(group: str) -> None:
    ours = constraints()
    assert {name: ours.get(name) for name in lock(group) if name != "setuptools"} == {
        name: version for name, version in lock(group).items() if name != "setuptools"
    }, "run `make locks`"


@pytest.mark.parametrize("group", FEDERATED)
def test_flower_runs_in_its_image_with_what_it_runs_with_elsewhere(group: str) -> None:
    lines = environment.REQUIREMENTS.read_text("utf-8").splitlines()
    flowers = [line.split("==") for line in lines if line and not line.startswith("#")]
    wanted = {canonicalize_name(name): version for name, version in flowers}
    assert wanted.pop("uv")  # would install what an app asks for while it runs: turned off
    here = lock(group)
    assert {name: here.get(name) for name in wanted} == wanted, "run `make locks`"
    ours = constraints()
    others = {name: version for name, version in here.items() if name not in wanted}
    assert others == {name: ours.get(name) for name in others}, "run `make locks`"
    assert "uv" not in here
    # In its own environment these come from the suite's.
    assert {"flwr", "grpcio", "numpy", "protobuf", "pydantic", "pyyaml"} <= set(here)


def test_what_counts_privacy_is_in_the_image_for_it_alone() -> None:
    added = set(lock("federated-private")) - set(lock("federated"))
    of_torch = {"filelock", "fsspec", "jinja2", "networkx", "sympy", "mpmath"}
    assert added == of_torch | {"opacus", "opt-einsum", "scipy"}
    arguments = dockerfile.stages()["federated-private-environment"].values("ARG")
    assert arguments == dockerfile.stages()["train-environment"].values("ARG")


@pytest.mark.parametrize("target", FEDERATED)
def test_flower_calls_nobody_but_its_own(target: str) -> None:
    turned_off = environment.variables().items() - os.environ.items()
    assert turned_off <= dockerfile.variables(target).items()
    assert dict(turned_off)


@pytest.mark.parametrize("target", FEDERATED)
def test_image_holds_what_federated_training_runs(target: str) -> None:
    installed = set(lock(target))
    there = set(dockerfile.files(target))
    owners = packages_distributions()
    for root in ("__main__", "client", "node", "server"):
        ours, others = imported_by(f"shared.federated.flower.{root}")
        for module in ours:
            path = module.replace(".", "/")
            assert {f"{path}.py", f"{path}/__init__.py"} & there, f"{module} is not in the image"
        for package in others - {"flwr", "opacus"}:
            names = {canonicalize_name(name) for name in owners[package]}
            assert names & installed, f"{package} is imported and not installed"
    assert "shared/federated/app/pyproject.toml" in there


def test_locks_are_whole() -> None:
    services = wanted_by(of_project("redis", "tracing", "pictures"))
    assert set(lock("services")) == services, "run `make locks`"
    assert set(lock("ranking")) == wanted_by(of_project("redis", "tracing")) | wanted_by(
        of_file("ranking.in")
    )
    assert set(lock("tools")) == wanted_by(of_project("redis", "tracing", "plan"))
    assert set(lock("build")) == wanted_by(of_file("build.in"))
    of_train = wanted_by(of_project("train", "ranking", "recommend", "redis", "tracing", "scale"))
    for_train = of_train | wanted_by(of_project("models")) | wanted_by(of_file("train.in"))
    # Neither what pip brings along nor what only builds of torch for GPUs need.
    apart = {"torch", "triton", "setuptools"}
    assert set(lock("train")) - apart == {
        name for name in for_train - apart if not name.startswith(("nvidia-", "cuda-"))
    }


@pytest.mark.parametrize(
    "group", ["services", "ranking", "tools", "train", "build", *FEDERATED, "triton"]
)
def test_every_package_has_hashes(group: str) -> None:
    text = (LOCKS / f"requirements-{group}.txt").read_text("utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    pinned = [block for block in blocks if PIN.match(block)]
    assert len(pinned) == len(PIN.findall(text)) > 5
    assert all("--hash=sha256:" in block for block in pinned)


def test_triton_has_what_the_suite_gives_it() -> None:
    ours = {str(Requirement(line)) for line in REQUIREMENTS if "pytriton" not in line}
    assert {str(wanted) for wanted in of_file("triton.in")} == ours
    assert {"onnxruntime", "numpy"} <= set(lock("triton"))
    assert "torch" not in lock("triton")


def test_only_training_has_torch() -> None:
    for group in ("services", "ranking", "tools", "federated", "triton", "build"):
        assert not {"torch", "transformers", "onnx"} & set(lock(group))
    with_torch = {
        name
        for name in FINAL
        if (stage := dockerfile.environment_stage(name))
        if any("torch==" in value for value in dockerfile.stages()[stage].values("RUN"))
    }
    assert with_torch == {"train", "federated-private"}  # which counts the privacy of noise
    torch = next(wanted for wanted in of_project("models") if wanted.name == "torch")
    arguments = dockerfile.stages()["train-environment"].values("ARG")
    assert f"TORCH_VERSION{str(torch.specifier).removeprefix('=')}" in arguments


def test_linter_has_nothing_to_say() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("target", FINAL)
def test_image_runs_as_nobody_in_particular(target: str) -> None:
    user = dockerfile.last(target, "USER")
    assert user is not None
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert dockerfile.last(target, "STOPSIGNAL") == "SIGTERM"
    # The exec form: signals reach the process itself.
    assert json.loads(dockerfile.last(target, "ENTRYPOINT") or "")
    labels = " ".join(v for stage in dockerfile.lineage(target) for v in stage.values("LABEL"))
    for label in ("title", "version", "revision", "source", "licenses"):
        assert f"org.opencontainers.image.{label}=" in labels


def test_nothing_comes_from_addresses_or_moving_tags() -> None:
    for stage in dockerfile.stages().values():
        assert not stage.values("ADD")
        base = stage.base
        if base not in dockerfile.stages():
            image = dockerfile.arguments()[base.strip("${}")]
            name, _, tag = image.rpartition(":")
            assert name
            assert re.match(r"\d+\.\d+", tag), f"{image}: name a version"
    for name in ("services", "ranking", "tools", "train", *FEDERATED):
        installs = " ".join(dockerfile.stages()[f"{name}-environment"].values("RUN"))
        assert "--no-deps --require-hashes" in installs


@pytest.mark.parametrize("name", list(dockerfile.stages()))
def test_every_source_is_there_and_sent(name: str) -> None:
    known = list(dockerfile.stages())
    for copy in dockerfile.stages()[name].copies:
        for source in copy.sources:
            if copy.stage is not None:
                assert known.index(copy.stage) < known.index(name)
                continue
            assert (ROOT / source).exists(), f"COPY {source}"
            sent = [file for file in dockerfile.context() if file.startswith(source)]
            assert sent, f".dockerignore keeps {source} from the builder"


def test_only_sources_are_sent() -> None:
    sent = dockerfile.context()
    tops = {file.split("/")[0] for file in sent}
    assert tops <= {
        "Dockerfile",
        ".dockerignore",
        "deploy",
        "hatch_build.py",
        "models",
        "protos",
        "services",
        "shared",
    }
    assert not [file for file in sent if file.endswith((".onnx", ".pyc", ".pem", ".key"))]
    assert sum((ROOT / file).lstat().st_size for file in sent) < 50e6


@pytest.mark.parametrize("service", ALL)
def test_image_opens_the_ports_of_its_service(service: str) -> None:
    opened = {int(port) for port in (dockerfile.last(service, "EXPOSE") or "").split()}
    assert opened == set(PortPlan().of(service).values())
    assert json.loads(dockerfile.last(service, "ENTRYPOINT") or "") == [
        "python",
        "-m",
        f"services.{service}",
    ]
    own = {key for key in dockerfile.variables(service) if key.startswith("WHEREFORE_")}
    assert own <= settings_keys.of_service(service)
    assert dockerfile.variables(service)[f"WHEREFORE_{service.upper()}_HOST"] == "0.0.0.0"  # noqa: S104 - in a container


@pytest.mark.parametrize("target", ["tools", "train"])
def test_jobs_set_what_is_read(target: str) -> None:
    own = {key for key in dockerfile.variables(target) if key.startswith("WHEREFORE_")}
    assert own <= settings_keys.known()


@pytest.mark.parametrize("target", ["triton", "triton-gpu"])
def test_triton_loads_what_a_suite_asks_for(target: str) -> None:
    command = json.loads(dockerfile.last(target, "CMD") or "")
    loaded = {word.partition("=")[2] for word in command if word.startswith("--load-model=")}
    assert loaded == set(served(VECTOR_MODEL, {}))
    there = dockerfile.files(target)
    for model in loaded:
        assert f"models/{model}/config.pbtxt" in there
    ports = PortPlan()
    for kind in ("http", "grpc", "metrics"):
        assert f"--{kind}-port={getattr(ports, f'triton_{kind}')}" in command


@lru_cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "services", "shared", "wherefore", include_external_packages=True, cache_dir=None
    )


def imported_by(root: str) -> tuple[set[str], set[str]]:
    """Our modules and others' packages that `root` leads to, lazy imports included."""
    ours, others, todo = set[str](), set[str](), [root]
    while todo:
        module = todo.pop()
        if module in ours:
            continue
        if graph().is_module_squashed(module):
            others.add(module.split(".")[0])
            continue
        ours.add(module)
        parts = module.split(".")
        todo += [".".join(parts[:length]) for length in range(1, len(parts))]
        todo += graph().find_modules_directly_imported_by(module)
    return ours, others - set(sys.stdlib_module_names)


@pytest.mark.parametrize("service", ALL)
def test_image_holds_all_that_its_service_imports(service: str) -> None:
    ours, others = imported_by(f"services.{service}.__main__")
    there = set(dockerfile.files(service))
    for module in ours:
        path = module.replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & there, f"{module} is not in the image"
    stage = dockerfile.environment_stage(service)
    assert stage is not None
    installed = set(lock(stage.removesuffix("-environment")))
    owners = packages_distributions()
    for package in others - set(NEVER_REACHED):
        names = {canonicalize_name(name) for name in owners[package]}
        assert names & installed, f"{package} is imported and not installed"


@pytest.mark.parametrize("target", ["triton", "triton-gpu"])
def test_triton_holds_all_that_its_models_import(target: str, tmp_path: Path) -> None:
    dockerfile.lay_out(target, tmp_path / "app")
    # The module that Triton itself brings.
    (tmp_path / "app" / "triton_python_backend_utils.py").touch()
    models = sorted((tmp_path / "app" / "models").glob("*/1/model.py"))
    assert models
    for model in models:
        done = subprocess.run(
            [sys.executable, "-c", LOAD, model],
            env={"PYTHONPATH": str(tmp_path / "app"), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=tmp_path / "app",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        loaded: dict[str, str] = json.loads(done.stdout)
        ours = {name: path for name, path in loaded.items() if name in {"shared", "services"}}
        assert all(path.startswith(str(tmp_path)) for path in ours.values())
        owners = packages_distributions()
        foreign = set(loaded) - set(ours) - set(sys.stdlib_module_names)
        for package in foreign & set(owners):
            names = {canonicalize_name(name) for name in owners[package]}
            assert names & set(lock("triton")), f"{package} is imported and not installed"


def test_exporting_code_is_not_reached_by_services() -> None:
    for package, where in NEVER_REACHED.items():
        module, _, function = where.rpartition(".")
        for service in ALL:
            ours, others = imported_by(f"services.{service}.__main__")
            if package not in others:
                continue
            importers = graph().find_modules_that_directly_import(package) & ours
            assert importers == {module}
            for name in ours:
                source = (ROOT / f"{name.replace('.', '/')}.py").with_suffix(".py")
                if name != module and source.is_file():
                    assert function not in source.read_text("utf-8"), name


@pytest.mark.parametrize("target", PYTHON)
def test_files_of_the_image_suffice_to_start(target: str, tmp_path: Path) -> None:
    home = tmp_path / "app"
    dockerfile.lay_out(target, home)
    module = "shared.cli.app" if target == "tools" else f"services.{target}.server"
    done = subprocess.run(
        [sys.executable, "-c", f"import {module} as found; print(found.__file__)"],
        # Nothing of the checkout is on the path, which an editable install would put there.
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(home))


def test_readers_of_queries_are_in_the_image_of_nlu() -> None:
    there = dockerfile.files("nlu")
    for model in {VECTOR_MODEL, *QUERY_MODELS.values()}:
        assert f"models/{model}/1/tokenizer.json" in there
        assert f"models/{model}/1/labels.json" in there
