"""Runs every call through a list of layers, whatever its arity.

gRPC's own interceptors wrap four kinds of handler by hand, each. Here one interceptor does that
once, and a layer only says what happens around a call, and to each message that comes in.
"""

from __future__ import annotations  # grpc.RpcMethodHandler is generic in its stubs only

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
import grpc.aio

from shared.call_notes import CallNotes, begin_notes
from shared.errors import DeadlineExceededError

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Decode: TypeAlias = Callable[[bytes], Any]

# Health and reflection must answer under overload, and their streams stay open for ever.
_HEALTH = "/grpc.health."
_REFLECTION = "/grpc.reflection."


@dataclass(slots=True)
class Call:
    """One call on its way through the layers."""

    method: str
    """Full name, such as "/wherefore.nlu.v1.NluService/Parse"."""
    request_streaming: bool
    response_streaming: bool
    metadata: Sequence[tuple[str, str | bytes]] = ()
    started_nanos: int = field(default_factory=time.perf_counter_ns)
    request_bytes: int = 0
    response_bytes: int = 0
    request_messages: int = 0
    queue_nanos: int = 0
    deadline_seconds: float | None = None
    """Seconds that were left on arrival; None when the client set no deadline."""
    notes: CallNotes = field(default_factory=CallNotes)

    def elapsed_nanos(self) -> int:
        """Returns nanoseconds since the call was accepted."""
        return time.perf_counter_ns() - self.started_nanos


class Layer:
    """Something that happens around every call. Override what is needed."""

    def around(self, call: Call, context: Context) -> AbstractAsyncContextManager[None] | None:
        """Returns what to hold while the call is answered; errors inside pass through it."""
        return None

    def decoder(self, call: Call, decode: Decode) -> Decode:
        """Returns what turns bytes into a request."""
        return decode

    def received(self, call: Call, message: Any) -> None:
        """Looks at each request message before the handler does; raises to refuse it."""


class Pipeline(grpc.aio.ServerInterceptor):
    """The interceptor that runs `layers`, outermost first, and counts calls in flight.

    Streams of requests are watched as the handler iterates over them; a handler that calls
    `context.read()` itself would go round the layers' `received`.

    Args:
        layers: Around all calls but health and reflection.
        reflection: Around reflection.
        health: Around health.
        idle_seconds: Longest wait for the next message of a stream of requests: such a call has no
            deadline of ours, and who sends nothing must not keep its place for ever.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        reflection: Sequence[Layer] = (),
        health: Sequence[Layer] = (),
        idle_seconds: float | None = None,
    ) -> None:
        self._layers = layers
        self._reflection = reflection
        self._health = health
        self._idle_seconds = idle_seconds
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def in_flight(self) -> int:
        """Calls being answered now, health and reflection not counted."""
        return self._in_flight

    async def wait_idle(self) -> None:
        """Returns once no call is in flight."""
        await self._idle.wait()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wraps the handler of one call."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None:
            return None
        call = Call(
            method=method,
            request_streaming=handler.request_streaming,
            response_streaming=handler.response_streaming,
            metadata=tuple(handler_call_details.invocation_metadata or ()),
        )
        if method.startswith(_HEALTH):
            return self._wrap(handler, call, self._health, is_counted=False)
        if method.startswith(_REFLECTION):
            return self._wrap(handler, call, self._reflection, is_counted=False)
        return self._wrap(handler, call, self._layers)

    def _wrap(
        self, handler: Handler, call: Call, layers: Sequence[Layer], *, is_counted: bool = True
    ) -> Handler:
        behaviour: Any
        if call.request_streaming and call.response_streaming:
            behaviour, make = handler.stream_stream, grpc.stream_stream_rpc_method_handler
        elif call.request_streaming:
            behaviour, make = handler.stream_unary, grpc.stream_unary_rpc_method_handler
        elif call.response_streaming:
            behaviour, make = handler.unary_stream, grpc.unary_stream_rpc_method_handler
        else:
            behaviour, make = handler.unary_unary, grpc.unary_unary_rpc_method_handler

        serialise = _noting_serializer(handler, call)

        async def answer(request: Any, context: Context) -> Any:
            call.notes = begin_notes()
            async with AsyncExitStack() as stack:
                if is_counted:
                    stack.enter_context(self._counted())
                for layer in layers:
                    held = layer.around(call, context)
                    if held is not None:
                        await stack.enter_async_context(held)
                if call.request_streaming:
                    request = self._watch(request, call, layers)
                else:
                    _receive(request, call, layers)
                response = await _invoke(behaviour, request, context)
                # Inside the layers, so that they know what was answered and how large it is.
                return None if call.response_streaming else serialise(response)

        # A coroutine that writes, rather than a generator, also for streamed responses: when the
        # client goes away it unwinds at once, in its own context, and not when it is collected.
        build: Any = make
        return build(
            answer,
            request_deserializer=_decoder(handler, call, layers),
            response_serializer=serialise if call.response_streaming else None,
        )

    async def _watch(
        self, requests: AsyncIterator[Any], call: Call, layers: Sequence[Layer]
    ) -> AsyncIterator[Any]:
        incoming = aiter(requests)
        while True:
            waiting = asyncio.timeout(self._idle_seconds)
            try:
                async with waiting:
                    message = await anext(incoming)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                if not waiting.expired():
                    raise
                raise DeadlineExceededError(
                    f"no message came for {self._idle_seconds:g} s"
                ) from error
            _receive(message, call, layers)
            yield message

    @contextmanager
    def _counted(self) -> Generator[None]:
        self._in_flight += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()


def _decoder(handler: Handler, call: Call, layers: Sequence[Layer]) -> Decode:
    inner: Decode = handler.request_deserializer or bytes
    for layer in reversed(layers):
        inner = layer.decoder(call, inner)

    def decode(raw: bytes) -> Any:
        call.request_bytes += len(raw)
        call.request_messages += 1
        return inner(raw)

    return decode


def _receive(message: Any, call: Call, layers: Sequence[Layer]) -> None:
    call.notes.asked(message)
    for layer in layers:
        layer.received(call, message)


async def _invoke(behaviour: Any, request: Any, context: Context) -> Any:
    """Runs a handler: a coroutine, or an async generator whose items are written."""
    if not inspect.isasyncgenfunction(behaviour):
        return await behaviour(request, context)
    async with aclosing(behaviour(request, context)) as responses:
        async for response in responses:
            await context.write(response)
    return None


def _noting_serializer(handler: Handler, call: Call) -> Callable[[Any], bytes]:
    serialise: Callable[[Any], bytes] = handler.response_serializer or bytes

    def note(message: Any) -> bytes:
        raw = serialise(message)
        call.response_bytes += len(raw)
        call.notes.answered(message)
        return raw

    return note
