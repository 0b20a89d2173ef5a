"""A new version takes over under traffic, through gRPC and a real Triton, and nobody notices."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
from tritonclient.grpc import aio

from services.nlu.config import NluSettings
from services.nlu.server import NluService
from shared.server import start_server
from wherefore.nlu.v1 import nlu_service_pb2 as pb
from wherefore.nlu.v1 import query_understanding_pb2 as understanding_pb
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

CLIENTS = 4
# What the two versions say of the same word.
SAYS = {1: understanding_pb.ENTITY_TYPE_PRODUCT_TYPE, 2: understanding_pb.ENTITY_TYPE_MATERIAL}


async def test_version_two_takes_over_without_a_lost_request(
    english: Any,
    write_model: Callable[..., Path],
    start_triton: Callable[[Path, Sequence[str]], Any],
    tmp_path: Path,
) -> None:
    write_model(english, tmp_path)
    triton = start_triton(tmp_path, ["query_en"])
    settings = NluSettings(
        port=0,
        retrieval_target="",
        drain_seconds=0,
        lame_duck_seconds=0,
        inference=triton.settings("query_en"),
        query_models={"en": "query_en"},
        version_poll_seconds=0.05,
        embedding_budget_seconds=30,
    )
    server = await start_server(NluService(settings), settings)
    answers: list[list[pb.ParseResponse]] = [[] for _ in range(CLIENTS)]
    enough = asyncio.Event()

    async def shopper(stub: NluServiceStub, mine: list[pb.ParseResponse]) -> None:
        while not enough.is_set():
            # A few queries again and again, which the caches answer, and new ones.
            for query in ("zorb", "red zorb", f"zorb {len(mine)} kettle"):
                mine.append(await stub.Parse(pb.ParseRequest(query=query), timeout=60))

    async def until(true: Callable[[], bool]) -> None:
        async with asyncio.timeout(240):
            while True:
                if true():
                    return
                await asyncio.sleep(0.02)

    try:
        await server.wait_ready()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = NluServiceStub(channel)
            async with asyncio.TaskGroup() as group:
                for mine in answers:
                    group.create_task(shopper(stub, mine))
                await until(lambda: all(len(mine) >= 6 for mine in answers))
                newer = replace(
                    english,
                    says=english.says | {"entities": {"zorb": "B-MATERIAL"}},
                    seed=2,
                )
                await asyncio.to_thread(write_model, newer, tmp_path, 2)
                client: Any = aio.InferenceServerClient(settings.inference.triton_target)
                await client.load_model("query_en")
                await until(lambda: all(version_of(mine[-1]) == 2 for mine in answers))
                counts = [len(mine) for mine in answers]
                await until(
                    lambda: all(
                        len(mine) >= count + 6 for mine, count in zip(answers, counts, strict=True)
                    )
                )
                # Both stand side by side: the old one is there for vectors, and for a way back.
                metadata = await client.get_model_metadata("query_en")
                assert sorted(metadata.versions) == ["1", "2"]
                await client.close()
                enough.set()
    finally:
        await server.stop()
    for mine in answers:
        versions = [version_of(answer) for answer in mine]
        assert versions == sorted(versions)  # never back again
        assert set(versions) == {1, 2}
        for answer, version in zip(mine, versions, strict=True):
            assert not answer.degraded
            [named] = [e for e in answer.understanding.entities if e.text == "zorb"]
            assert named.type == SAYS[version]
            # Vectors stay those of the version that the index was made with.
            assert answer.understanding.vector.model == "query_en@1"
    vectors = {
        tuple(np.round(answer.understanding.vector.values, 4))
        for mine in answers
        for answer in mine
        if answer.understanding.query == "zorb"
    }
    assert len(vectors) == 1


def version_of(answer: pb.ParseResponse) -> int:
    sources = {
        entity.source
        for entity in answer.understanding.entities
        if entity.source.startswith("query_en@")
    }
    [source] = sources
    return int(source.partition("@")[2])
