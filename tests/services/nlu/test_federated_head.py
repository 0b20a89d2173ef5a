"""Three shops train a head of intents; the NLU serves it on a real port, version after version."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

pytest.importorskip("opacus", reason="the extra `federated` is not installed")

from services.nlu.config import NluSettings
from services.nlu.server import NluService
from shared.cli.app import main
from shared.federated import environment
from shared.inference import InferenceSettings
from shared.inference.settings import REPOSITORY
from shared.server import start_server
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1 import query_understanding_pb2 as understanding_pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

# Concerns that the reader was never taught, so whoever names them read them with the shops' head.
LABELS = ("product_search", "support/gift_wrapping", "support/loyalty_points")
SHOPS: Sequence[Sequence[tuple[str, str]]] = (
    (
        ("can you gift wrap my parcel", "support/gift_wrapping"),
        ("please put it in gift paper with a bow", "support/gift_wrapping"),
        ("how many loyalty points do I have", "support/loyalty_points"),
        ("my bonus points are gone", "support/loyalty_points"),
        ("red leather wallet", "product_search"),
        ("wireless mouse", "product_search"),
    ),
    (
        ("is gift wrapping free", "support/gift_wrapping"),
        ("wrap the order as a present", "support/gift_wrapping"),
        ("when do my points expire", "support/loyalty_points"),
        ("pay with loyalty points", "support/loyalty_points"),
        ("steel kettle", "product_search"),
        ("running shoes size 42", "product_search"),
    ),
    (
        ("I want a greeting card and gift wrap", "support/gift_wrapping"),
        ("could you wrap it up nicely for a birthday", "support/gift_wrapping"),
        ("did I get points for this purchase", "support/loyalty_points"),
        ("points of my loyalty card are missing", "support/loyalty_points"),
        ("black office chair", "product_search"),
        ("noise cancelling headphones", "product_search"),
    ),
)
ASKED = {
    "do you offer gift wrapping paper": "gift_wrapping",
    "where can I see my loyalty points": "loyalty_points",
}


def command(capfd, *arguments: object) -> None:
    code = main([str(each) for each in arguments])
    assert code == 0, capfd.readouterr().err


def train(capfd, folder: Path, shops: Sequence[Path]) -> Path:
    out = folder / "model"
    command(
        capfd, "train", "federated", "run", *shops, "--task", folder / "task.json", "--out", out,
        "--rounds", 6, "--epochs", 6, "--learning-rate", 5, "--batch", 6,
    )  # fmt: skip
    return out


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    if not (REPOSITORY / "query_en" / "1" / "model.onnx").is_file():
        pytest.skip("no export of query_en; `make models` makes it")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "query_en").symlink_to(REPOSITORY / "query_en")
    return tmp_path / "models"


@pytest.fixture
def shops(capfd, tmp_path: Path, repository: Path) -> list[Path]:
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    paths: list[Path] = []
    for at, utterances in enumerate(SHOPS):
        with (tmp_path / f"asked{at}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("utterance", "intent"), *utterances])
        paths.append(tmp_path / f"shop{at}.npz")
        command(
            capfd, "train", "federated", "prepare", "--intents", tmp_path / f"asked{at}.csv",
            "--labels", tmp_path / "labels.txt", "--models", repository, "--out", paths[-1],
        )  # fmt: skip
    assert json.loads((tmp_path / "task.json").read_text())["encoder"] == "query_en@1"
    return paths


@pytest_asyncio.fixture
async def stub(repository: Path) -> AsyncIterator[NluServiceStub]:
    settings = NluSettings(
        port=0,
        retrieval_target="",
        drain_seconds=0,
        lame_duck_seconds=0,
        inference=InferenceSettings(backend="onnx", model_dir=repository, threads=1),
        query_models={"en": "query_en"},
        cross_model="",
        attribution_model="",
        picture_model="",
        intent_heads=("shop_intents",),
        version_poll_seconds=0.05,
        embedding_budget_seconds=60,
    )
    server = await start_server(NluService(settings), settings)
    await server.wait_ready()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield NluServiceStub(channel)
    await server.stop()


async def support(stub: NluServiceStub, query: str) -> tuple[str, str]:
    """The concern that Parse reads in a query, and who named it."""
    answer = await stub.Parse(pb.ParseRequest(query=query), timeout=120)
    assert not answer.degraded
    found = [answer.understanding.intent, *answer.understanding.alternative_intents]
    [intent] = [each for each in found if each.type == understanding_pb.INTENT_TYPE_SUPPORT]
    return intent.label, intent.model


async def test_served_intents_are_those_of_the_head_that_shops_trained(
    capfd, tmp_path: Path, shops: list[Path], repository: Path, stub: NluServiceStub
) -> None:
    if (told := environment.problem()) is not None:
        pytest.skip(told)
    [query, *_] = ASKED
    before = await stub.Parse(pb.ParseRequest(query=query), timeout=120)
    [lost] = before.degraded
    assert (lost.stage, lost.fallback) == ("nlu.intent_head", "the reader's own intents")
    assert "shop_intents" in lost.detail

    def publish(run: Path) -> None:
        options = ["--name", "shop_intents", "--models", repository]
        command(capfd, "train", "federated", "publish", run, *options)

    async def until_served(model: str) -> None:
        async with asyncio.timeout(120):
            while True:
                answer = await stub.Analyse(pb.AnalyseRequest(texts=[query]), timeout=120)
                if answer.analyses[0].intent.model == model:
                    return
                await asyncio.sleep(0.02)

    model = await asyncio.to_thread(train, capfd, tmp_path, shops)
    publish(model)
    await until_served("shop_intents@1")
    for asked, label in ASKED.items():
        assert await support(stub, asked) == (label, "shop_intents@1")
        [analysis] = (await stub.Analyse(pb.AnalyseRequest(texts=[asked]), timeout=120)).analyses
        assert (analysis.intent.type, analysis.intent.label, analysis.model) == (
            understanding_pb.INTENT_TYPE_SUPPORT,
            label,
            "query_en@1",
        )
    wallet = await stub.Parse(pb.ParseRequest(query="brown leather wallet"), timeout=120)
    assert wallet.understanding.intent.type == understanding_pb.INTENT_TYPE_PRODUCT_SEARCH
    assert wallet.understanding.vector.model == "query_en@1"

    publish(model)
    await until_served("shop_intents@2")
    assert await support(stub, query) == (ASKED[query], "shop_intents@2")
    (repository / "shop_intents" / "2" / "head.npz").unlink()
    await until_served("shop_intents@1")
