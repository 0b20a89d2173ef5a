"""The exported ranker says what the network says, in Triton and in process."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import torch

from services.ranking.config import Settings
from services.ranking.deep.calibrate import Calibrated, Curves, chances
from services.ranking.deep.export import ExportError, compare, export
from services.ranking.deep.model_file import FILE, DeepFile, log_worth
from services.ranking.deep.network import DeepNetwork, Shape
from services.ranking.deep.serving import STAGE, DeepRanker
from services.ranking.deep.shapley import Walks
from services.ranking.features import FEATURES
from services.ranking.server import RankingServer
from services.ranking.tree_model import ModelFileError
from shared.errors import UnavailableError
from shared.inference import InferenceSettings
from shared.server import start_server
from shared.suite import PortPlan
from tests.triton_server import RunningTriton, running_triton
from wherefore.common.v1.diagnostics_pb2 import DegradationCause
from wherefore.ranking.v1 import ranking_service_pb2 as pb
from wherefore.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub

READ = ("title_coverage", "fused_score", "rating", "stock")
DESCRIPTION = DeepFile(version="deep-search@7", features=READ, weight=0.5)


def network() -> Calibrated:
    torch.manual_seed(1)
    made = DeepNetwork(len(READ), Shape(experts=3, width=16, tower=8))
    with torch.no_grad():  # answers apart from each other
        for parameter in made.parameters():
            parameter.mul_(2.0)
    return Calibrated(made, Curves((1.5, 0.8, 1.1), (-0.5, 0.2, -1.0))).eval()


def table(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, len(FEATURES)))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    probes = DESCRIPTION.columns(table(5_000))
    assert export(network(), DESCRIPTION, probes, folder / "deep_ranker") < 1e-5
    return folder


@pytest.fixture
def triton(repository: Path, tmp_path: Path) -> Iterator[RunningTriton]:
    with running_triton(repository, ("deep_ranker",), tmp_path) as running:
        yield running


def settings_of(repository: Path, **more: object) -> InferenceSettings:
    return InferenceSettings(model="deep_ranker", model_dir=repository, **more)


@pytest.mark.integration
async def test_triton_and_torch_agree_and_its_loss_is_told(
    repository: Path, triton: RunningTriton, make_candidate
) -> None:
    inference = settings_of(repository, triton_target=triton.target)
    ranker = DeepRanker.open(inference)
    try:
        for rows in (1, 7, 200, 5_000):
            values = table(rows, seed=rows)
            found = await ranker.add(values, contributions=False)
            expected = 0.5 * log_worth(chances(network(), DESCRIPTION.columns(values)))
            np.testing.assert_allclose(found.scores, expected, atol=1e-3)
    finally:
        await ranker.close()

    settings = Settings(
        port=0, metrics_port=0, deep_model="deep_ranker", inference=inference,
        deep_timeout_seconds=2.0,
    )  # fmt: skip
    request = pb.RankRequest(
        candidates=[make_candidate("a", "Kettle", fused=0.02), make_candidate("b", "Lamp")],
        include_contributions=True,
    )
    request.query.query = "kettle"
    running = await start_server(RankingServer(settings), settings)
    try:
        await running.wait_ready(10)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{running.port}") as channel:
            stub = RankingServiceStub(channel)
            whole = await stub.Rank(request, timeout=5)
            assert not whole.degraded
            assert whole.model.startswith("linear-search@")
            assert whole.model.endswith("+deep-search@7")
            assert STAGE in [timing.stage for timing in whole.timings]
            for result in whole.results:
                total = whole.base_value + sum(c.contribution for c in result.contributions)
                assert total == pytest.approx(result.score, abs=1e-6)
            explained = await stub.Explain(pb.ExplainRequest(ranking=request), timeout=5)
            assert explained.model == whole.model
            assert not explained.explanations[0].HasField("counter_factual")
            triton.kill()
            alone = await stub.Rank(request, timeout=5)
            assert alone.model == whole.model.removesuffix("+deep-search@7")
            (lost,) = alone.degraded
            assert lost.stage == STAGE
            assert lost.cause == DegradationCause.DEGRADATION_CAUSE_UNAVAILABLE
            for _ in range(5):
                alone = await stub.Rank(request, timeout=5)
            assert len(alone.results) == 2
            assert alone.degraded[0].cause == DegradationCause.DEGRADATION_CAUSE_CIRCUIT_OPEN
    finally:
        await running.stop()


async def test_contributions_sum_to_the_score_and_name_what_the_network_reads(repository) -> None:
    ranker = DeepRanker.open(settings_of(repository, backend="onnx"))
    values = table(40)
    values[:, FEATURES.index("stock")] = 1.0
    try:
        plain = await ranker.add(values, contributions=False)
        told = await ranker.add(values, contributions=True)
    finally:
        await ranker.close()
    assert told.contributions is not None
    np.testing.assert_allclose(told.scores, plain.scores, atol=1e-5)
    total = told.base + told.contributions.sum(axis=1)
    np.testing.assert_allclose(total, told.scores, atol=1e-9)
    used = {FEATURES[column] for column in np.flatnonzero(np.abs(told.contributions).sum(axis=0))}
    assert used == set(READ) - {"stock"}  # alike for all candidates


def test_shares_are_exact_where_features_only_add_up_and_fair_where_they_act_together() -> None:
    values = np.random.default_rng(2).random((6, 5)).astype(np.float32)
    walks = Walks.over(values)
    weights = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    base, shares = walks.share_out(walks.flat().astype(np.float64) @ weights)
    mean = values.mean(axis=0)
    assert base == pytest.approx(mean @ weights, abs=1e-6)
    np.testing.assert_allclose(shares, (values - mean) * weights, atol=1e-6)
    # An order and its reverse share the product of two features out as Shapley's values do.
    both = walks.flat()[:, 0].astype(np.float64) * walks.flat()[:, 1]
    _, shares = walks.share_out(both)
    first, second = values[:, 0] - mean[0], values[:, 1] - mean[1]
    np.testing.assert_allclose(shares[:, 0], first * (values[:, 1] + mean[1]) / 2, atol=1e-6)
    np.testing.assert_allclose(shares[:, 1], second * (values[:, 0] + mean[0]) / 2, atol=1e-6)


async def test_the_weight_of_the_setting_stands_above_that_of_the_file(repository) -> None:
    values = table(5)
    found = []
    for weight in (None, 2.0):
        ranker = DeepRanker.open(settings_of(repository, backend="onnx"), weight)
        found.append((await ranker.add(values, contributions=False)).scores)
        await ranker.close()
    np.testing.assert_allclose(found[1], 4 * found[0], rtol=1e-6)


async def test_a_model_that_cannot_be_used_stops_the_start(repository, tmp_path) -> None:
    inference = InferenceSettings(model_dir=tmp_path, backend="onnx")
    server = RankingServer(Settings(deep_model="deep_ranker", inference=inference))
    with pytest.raises(ModelFileError, match="deep_ranker"):
        await server.start()
    folder = tmp_path / "deep_ranker" / "1"
    folder.mkdir(parents=True)
    document = json.loads(DESCRIPTION.model_dump_json()) | {"features": ["colour"]}
    (folder / FILE).write_text(json.dumps(document))
    with pytest.raises(ModelFileError, match="colour"):
        await server.start()


async def test_a_missing_triton_is_unavailable(repository) -> None:
    target = f"127.0.0.1:{PortPlan.free().triton_grpc}"
    ranker = DeepRanker.open(settings_of(repository, triton_target=target))
    try:
        with pytest.raises(UnavailableError):
            await ranker.add(table(3), contributions=False)
    finally:
        await ranker.close()


def test_an_export_that_strays_is_refused(repository, tmp_path, monkeypatch) -> None:
    from services.ranking.deep import export as module

    other = network()
    other.scale.mul_(2.0)
    probes = DESCRIPTION.columns(table(50))
    assert compare(other, repository / "deep_ranker/1/model.onnx", probes) > 0.01
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(ExportError):
        export(network(), DESCRIPTION, probes, tmp_path / "deep_ranker")
    assert not (tmp_path / "deep_ranker").exists()
