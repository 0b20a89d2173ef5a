"""The model in Triton: evidence goes there as integers, tokens come back as they are drawn."""

import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

import grpc
import numpy as np
import structlog
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc

from services.reason.wording.batch import Step, Wanted
from services.reason.wording.decode import Progress, Telling
from services.reason.wording.tensors import (
    BANNED,
    ROW,
    SECONDS,
    TOKEN,
    VOCABULARY,
    to_tensors,
    vocabulary_id,
)
from services.reason.writer import GRACE, VERSION_FOLDER, LearntModel
from shared.breaker import CircuitBreaker
from shared.errors import CircuitOpenError, DeadlineExceededError, UnavailableError, WhereforeError
from shared.inference.triton import CHANNEL_ARGUMENTS

_POLL: Final = 0.1
_DATATYPES: Final[Mapping[str, str]] = {"int32": "INT32", "int64": "INT64", "float32": "FP32"}
_MESSAGES: Any = service_pb2
_STUBS: Any = service_pb2_grpc

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TritonWriter:
    """Implements `writer.Writer`; fails at once while no model is there, and heals when it returns.

    Args:
        folder: Of the model in the repository.
        banned: Words that the shop never says.
        target: HOST:PORT of Triton's gRPC endpoint.

    Raises:
        FileNotFoundError: The folder holds no model.
    """

    def __init__(self, folder: Path, banned: Sequence[str], target: str) -> None:
        self._model = LearntModel(folder, banned)
        self._name = folder.name
        self._banned = [word.encode() for word in banned]
        self._vocabulary = np.array([vocabulary_id(self._model.home)], dtype=np.int64)
        self._channel: Any = grpc.insecure_channel(target, CHANNEL_ARGUMENTS)
        self._stub: Any = _STUBS.GRPCInferenceServiceStub(self._channel)
        # A server that stands still would cost every page its whole time.
        self._breaker = CircuitBreaker("reason.model", failure_threshold=3)
        self._lock = Lock()

    @property
    def version(self) -> str:
        """Names the model."""
        return self._model.version

    def knows(self, wanted: Wanted) -> bool:
        """Whether it has learnt to say every kind of the evidence."""
        return self._model.knows(wanted)

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        """Writes a page; see `writer.Writer`.

        Raises:
            CircuitOpenError: It failed so often that it is not asked for a while.
        """
        if seconds <= 0:
            return
        with self._lock:
            if not self._breaker.allow():
                raise CircuitOpenError(f"{self.version} kept failing and is not asked")
        ends = time.monotonic() + seconds
        telling = Telling(wanted, self._model.grammar)
        request = self._request(wanted, seconds)
        call = self._stub.ModelStreamInfer(iter([request]), timeout=seconds + GRACE)
        answered = False
        try:
            for answer in call:
                self._check(answer)
                if not answered:
                    answered = True
                    self._record(well=True)
                for step in _steps(answer.infer_response):
                    if (progress := telling.tell(step)) is not None:
                        yield progress
                if time.monotonic() > ends:
                    return
        except grpc.RpcError as error:
            if failure := self._failure(error, answered=answered):
                self._record(well=False)
                raise failure from error
        finally:
            call.cancel()

    def wait_ready(self, seconds: float) -> None:
        """Returns when Triton has loaded the model, or after so many seconds without it."""
        ends = time.monotonic() + seconds
        request = _MESSAGES.ModelReadyRequest(name=self._name, version=VERSION_FOLDER)
        while (left := ends - time.monotonic()) > 0:
            with suppress(grpc.RpcError):
                if self._stub.ModelReady(request, timeout=left, wait_for_ready=True).ready:
                    return
            time.sleep(min(_POLL, left))

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _request(self, wanted: Sequence[Wanted], seconds: float) -> Any:
        tensors = to_tensors(wanted, self._model.grammar.tokens)
        tensors[VOCABULARY] = self._vocabulary
        tensors[SECONDS] = np.array([seconds], dtype=np.float32)
        request = _MESSAGES.ModelInferRequest(model_name=self._name, model_version=VERSION_FOLDER)
        for name, array in tensors.items():
            _add(request, name, _DATATYPES[str(array.dtype)], array.shape, array.tobytes())
        # Triton's form of strings: the length of each, then the string.
        words = b"".join(struct.pack("<I", len(word)) + word for word in self._banned)
        _add(request, BANNED, "BYTES", [len(self._banned)], words)
        return request

    def _check(self, answer: Any) -> None:
        if message := answer.error_message:
            self._record(well=False)
            raise self._unavailable(message)

    def _failure(self, error: Any, *, answered: bool) -> WhereforeError | None:
        """Returns what the end of a call amounts to; None where the page's time ended it."""
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            if answered:
                return None
            return DeadlineExceededError(f"{self.version} said nothing in time")
        return self._unavailable(error.details())

    def _unavailable(self, detail: str) -> UnavailableError:
        # Addresses and what a library says are for operators, not for who reads `degraded`.
        _log.warning("Triton failed", model=self.version, error=detail)
        return UnavailableError(f"the model server cannot run {self.version}")

    def _record(self, *, well: bool) -> None:
        with self._lock:
            (self._breaker.record_success if well else self._breaker.record_failure)()


def _add(request: Any, name: str, datatype: str, shape: Sequence[int], content: bytes) -> None:
    request.inputs.add(name=name, datatype=datatype, shape=shape)
    request.raw_input_contents.append(content)


def _steps(answer: Any) -> list[Step]:
    """Returns the steps of a response; none of the empty one that ends the answer."""
    found: dict[str, NDArray[np.int32]] = {
        output.name: np.frombuffer(content, dtype=np.int32)
        for output, content in zip(answer.outputs, answer.raw_output_contents, strict=True)
    }
    if not found:
        return []
    rows, tokens = found[ROW].tolist(), found[TOKEN].tolist()
    return [Step(row, token) for row, token in zip(rows, tokens, strict=True)]
