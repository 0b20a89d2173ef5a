"""Lets no more calls in than the service can work on."""

from collections.abc import AsyncGenerator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from shared.admission import Admission, ShedError
from shared.interceptors.pipeline import Call, Context, Layer
from shared.metrics import CONCURRENCY_LIMIT, QUEUE, REJECTED
from shared.pressure import set_pressure
from shared.request_context import BATCH, PRIORITY_KEY, set_batch


class AdmissionLayer(Layer):
    """Holds a place while a call is answered.

    Args:
        calls: Places of calls that have an end.
        streams: Places of streams, which may last for hours and say nothing of how busy we are.
        light: Places of calls that take next to no work: they would wait behind those that do.
        light_methods: Full method names of these.
    """

    def __init__(
        self,
        calls: Admission,
        streams: Admission,
        light: Admission,
        light_methods: Collection[str] = frozenset(),
    ) -> None:
        self._calls = calls
        self._streams = streams
        self._light = light
        self._light_methods = frozenset(light_methods)

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        streams = call.request_streaming or call.response_streaming
        # An import is a job whatever it says, and so is what is asked on its behalf.
        batch = call.request_streaming or dict(call.metadata).get(PRIORITY_KEY) == BATCH
        set_batch(batch)
        admission = self._streams if streams else self._calls
        if call.method in self._light_methods:
            admission = self._light
        set_pressure(partial(self._calls.pressure, call.method))
        async with AsyncExitStack() as stack:
            place = admission.admit(call.method, batch=batch)
            try:
                call.queue_nanos = await stack.enter_async_context(place)
            except ShedError as error:
                REJECTED.labels(call.method, error.cause).inc()
                call.notes.shed = error.cause
                raise
            QUEUE.observe(call.queue_nanos / 1e9)
            CONCURRENCY_LIMIT.set(self._calls.limit)
            yield
