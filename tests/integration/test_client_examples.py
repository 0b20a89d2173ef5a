"""The example of each language against the suite, where its tools are installed; and JSON."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pool, json_format, message_factory

from shared.security.settings import SecuritySettings
from shared.suite import Suite

pytestmark = pytest.mark.suite

ROOT = Path(__file__).resolve().parents[2]
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")
JARS = (
    *(f"grpc-{name}" for name in ("api", "context", "core", "netty", "protobuf", "protobuf-lite")),
    *("grpc-stub", "protobuf", "guava", "perfmark-api", "netty-all"),
    *("netty-buffer", "netty-codec", "netty-codec-http", "netty-codec-http2", "netty-codec-socks"),
    *("netty-common", "netty-handler", "netty-handler-proxy", "netty-resolver", "netty-transport"),
    *("netty-tcnative", "opencensus-api", "geronimo-annotation-1.3-spec"),
)
"""Of Debian's packages, in /usr/share/java."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def run(
    folder: Path, *command: str, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": PATH} | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def copied(language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a folder of its own, with the contracts where it looks for them."""
    root = tmp_path_factory.mktemp(language)
    (root / "protos").symlink_to(ROOT / "protos")
    left_out = shutil.ignore_patterns("node_modules", "gen", "dist", "classes")
    shutil.copytree(ROOT / "clients" / language, root / "clients" / language, ignore=left_out)
    return root / "clients" / language


def needs(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program, path=PATH) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed")


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Run:
    needs("node", "npm")
    folder = copied("typescript", tmp_path_factory)
    installed = run(folder, "npm", "ci", check=False)
    if any(word in installed.stderr for word in OFFLINE):
        pytest.skip("no way to the npm registry")
    assert installed.returncode == 0, installed.stderr
    run(folder, "npm", "run", "generate")
    run(folder, "npm", "run", "build")
    return lambda *words, **variables: run(
        folder, "npm", "start", "--silent", "--", *words, check=False, **variables
    )


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Run:
    needs("go", "protoc-gen-go", "protoc-gen-go-grpc")
    if not Path("/usr/share/gocode/src/google.golang.org/grpc").is_dir():
        pytest.skip("golang-google-grpc-dev: not installed")
    folder = copied("go", tmp_path_factory)
    run(folder, "buf", "generate")
    path = tmp_path_factory.mktemp("gopath")
    program = str(path / "shop")
    source = path / "src" / "example.com" / "shop"
    shutil.copytree(folder, source)
    shutil.copy(ROOT / "tests" / "clients" / "debian_codec.go", source)
    variables = {"GOPATH": f"{path}:/usr/share/gocode", "GO111MODULE": "off"}
    run(source, "go", "vet", ".", **variables)
    run(source, "go", "build", "-o", program, ".", **variables)
    return lambda *words, **more: run(folder, program, *words, check=False, **more)


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Run:
    needs("javac", "protoc", "grpc_java_plugin")
    jars = [Path("/usr/share/java") / f"{name}.jar" for name in JARS]
    if not Path("/usr/share/java/grpc-netty.jar").is_file():
        pytest.skip("libgrpc-java: not installed")
    classes = os.pathsep.join(map(str, [*jars, "classes"]))
    folder = copied("java", tmp_path_factory)
    run(folder, "buf", "generate")
    (folder / "classes").mkdir()
    run(folder, "javac", "-cp", classes, "-sourcepath", "gen", "-d", "classes", "Shop.java")
    return lambda *words, **variables: run(
        folder, "java", "-cp", classes, "Shop", *words, check=False, **variables
    )


@pytest.fixture(params=["typescript", "go", "java"])
def example(request: pytest.FixtureRequest) -> Run:
    return request.getfixturevalue(request.param)


def test_a_search_its_reasons_and_a_click(suite: Suite, example: Run) -> None:
    done = example("wireless", "headphones", WHEREFORE_TARGET=suite.target("orchestrator"))
    assert done.returncode == 0, done.stderr
    *found, clicked = done.stdout.splitlines()
    assert len(found) == 3
    for line in found:
        told = re.fullmatch(r"(\S+) (.+) - (.+)", line)
        assert told, line
    assert clicked == f"clicked: {found[0].split()[0]}"


# Not Java's: Debian's netty (4.1.48) finds no ALPN in Java 17, and so speaks no TLS for gRPC.
@pytest.mark.parametrize("example", ["typescript", "go"], indirect=True)
def test_a_key_and_an_authority(secured: Suite, security: SecuritySettings, example: Run) -> None:
    variables = {
        "WHEREFORE_TARGET": secured.target("orchestrator"),
        "WHEREFORE_CA": str(security.ca_file),
    }
    refused = example("mug", **variables)
    assert refused.returncode == 1
    assert re.search("unauthenticated", refused.stderr, re.IGNORECASE)
    key = security.operator_token_file.read_text().strip()
    done = example("mug", **variables, WHEREFORE_API_KEY=key)
    assert done.returncode == 0, done.stderr


def test_json_of_the_documentation(suite: Suite) -> None:
    """What a JSON gateway makes of the documented bodies, and of the answers."""
    page = (ROOT / "docs" / "clients.md").read_text("utf-8")
    bodies = re.findall(
        r"^\$ curl -d '(.+?)'[ \\\n]+localhost:8080/(\S+)/(\S+)$", page, re.MULTILINE
    )
    assert len(bodies) == 2
    pool = descriptor_pool.Default()
    with grpc.insecure_channel(suite.target("orchestrator")) as channel:
        for body, service, method in bodies:
            called = pool.FindServiceByName(service).FindMethodByName(method)
            request, response = map(
                message_factory.GetMessageClass, (called.input_type, called.output_type)
            )
            answer = channel.unary_unary(
                f"/{service}/{method}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )(json_format.Parse(body, request()), timeout=20)
            text = json_format.MessageToJson(answer)
            assert json_format.Parse(text, response()) == answer
            assert json.loads(text)
