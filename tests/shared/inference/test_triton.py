"""What only Triton does: batching across clients, dying and coming back."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from tritonclient.grpc import aio, service_pb2, service_pb2_grpc

from shared.errors import UnavailableError
from shared.inference import InferenceSettings, open_text_encoder
from shared.inference.triton import TritonModel
from shared.suite import PortPlan, Suite


def settings_of(target: str) -> InferenceSettings:
    return InferenceSettings(triton_target=target, model="minilm_l6")


async def statistics(target: str) -> Any:
    client: Any = aio.InferenceServerClient(target)
    try:
        answer = await client.get_inference_statistics("minilm_l6")
    finally:
        await client.close()
    return answer.model_stats[0]


async def test_requests_of_many_clients_are_batched_by_triton(triton_suite: Suite) -> None:
    target = triton_suite.target("triton")
    before = await statistics(target)
    encoders = [open_text_encoder(settings_of(target)) for _ in range(8)]

    async def client(number: int) -> None:
        for turn in range(10):
            # Lengths differ between clients, as they do between queries.
            await encoders[number].encode([f"red shoes {turn} " * (1 + number)])

    await asyncio.gather(*map(client, range(8)))
    for encoder in encoders:
        await encoder.close()
    after = await statistics(target)
    inferences = after.inference_count - before.inference_count
    executions = after.execution_count - before.execution_count
    # On a machine under load some are followed by a small one.
    assert inferences >= 80
    assert 0 < executions < inferences
    assert max(batch.batch_size for batch in after.batch_stats) > 1


async def test_a_missing_server_fails_as_unavailable() -> None:
    encoder = open_text_encoder(settings_of(f"127.0.0.1:{PortPlan.free().nlu}"))
    try:
        with pytest.raises(UnavailableError):
            await encoder.encode(["kettle"])
        with pytest.raises(UnavailableError):
            await encoder.check_ready()
    finally:
        await encoder.close()


class _Server(service_pb2_grpc.GRPCInferenceServiceServicer):
    """Says that any model is ready, and counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802 - Triton's name
        self.asked += 1
        return service_pb2.ModelReadyResponse(ready=True)


async def test_calls_are_spread_over_several_servers() -> None:
    answering, ports, listening = [_Server(), _Server()], [], []
    for each in answering:
        server = grpc.aio.server()
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(each, server)
        ports.append(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        listening.append(server)
    model = TritonModel(settings_of("ipv4:" + ",".join(f"127.0.0.1:{p}" for p in ports)))
    try:
        for _ in range(50):
            await model.check_ready()
            if all(each.asked for each in answering):
                break
            await asyncio.sleep(0.02)  # the second connection is still being made
        before = [each.asked for each in answering]
        for _ in range(10):
            await model.check_ready()
        assert [each.asked - was for each, was in zip(answering, before, strict=True)] == [5, 5]
    finally:
        await model.close()
        for server in listening:
            await server.stop(None)


def test_a_model_without_a_configuration_of_that_name_has_the_usual_one() -> None:
    # cross_en_attribution runs on processors alone.
    for name, model in (("cuda", "cross_en_attribution"), ("cuda", "query_en"), ("", "query_en")):
        assert TritonModel(InferenceSettings(model=model, triton_config=name)).outputs


async def test_an_unloaded_model_fails_as_unavailable(triton_suite: Suite) -> None:
    encoder = open_text_encoder(
        settings_of(triton_suite.target("triton")).model_copy(update={"model": "minilm_l6_int8"})
    )
    try:
        with pytest.raises(UnavailableError):
            await encoder.encode(["kettle"])
        with pytest.raises(UnavailableError, match="not loaded"):
            await encoder.check_ready()
    finally:
        await encoder.close()


async def test_a_server_that_died_is_found_again(triton_suite: Suite) -> None:
    target = triton_suite.target("triton")
    encoder = open_text_encoder(settings_of(target))
    try:
        await encoder.encode(["kettle"])
        await asyncio.to_thread(triton_suite.kill, "triton")
        with pytest.raises(UnavailableError):
            await encoder.encode(["kettle"])
        await asyncio.to_thread(triton_suite.restart, "triton")
        async with asyncio.timeout(10):
            while True:
                try:
                    encoded = await encoder.encode(["kettle"])
                    break
                except UnavailableError:
                    await asyncio.sleep(0.05)
        assert encoded.vectors.shape == (1, 384)
    finally:
        await encoder.close()


def test_a_model_without_files_says_what_makes_them(tmp_path: Path) -> None:
    for backend in ("triton", "onnx"):
        with pytest.raises(UnavailableError, match="make models"):
            open_text_encoder(InferenceSettings(backend=backend, model_dir=tmp_path))
