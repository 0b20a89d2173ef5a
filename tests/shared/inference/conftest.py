from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.inference import InferenceSettings, TextEncoder, open_text_encoder
from shared.suite import PortPlan, Suite
from shared.suite import triton as launcher

PLAIN = InferenceSettings(model="minilm_l6")
"""A model in full precision, so that what the way to it does to a vector can be told."""

EXPORTED = (PLAIN.version_dir / "model.onnx").is_file()


@pytest.fixture(scope="session")
def triton_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A Triton of this session's own; skips where none can run."""
    problem = launcher.problem((PLAIN.model,))
    if problem:
        pytest.skip(f"Triton can't run here: {problem}")
    home: Path = tmp_path_factory.mktemp("triton")
    with Suite(home, PortPlan.free(), services=(), private=True, model=PLAIN.model) as suite:
        suite.up(60)
        yield suite


@pytest.fixture(params=["onnx", "triton"])
def inference(request: pytest.FixtureRequest) -> InferenceSettings:
    """Settings of each backend in turn."""
    if not EXPORTED:
        pytest.skip("the model was not exported; `make models` does it")
    if request.param == "onnx":
        return PLAIN.model_copy(update={"backend": "onnx"})
    suite: Suite = request.getfixturevalue("triton_suite")
    return PLAIN.model_copy(update={"triton_target": suite.target("triton")})


@pytest.fixture
async def encoder(inference: InferenceSettings) -> AsyncIterator[TextEncoder]:
    encoder = open_text_encoder(inference)
    yield encoder
    await encoder.close()
