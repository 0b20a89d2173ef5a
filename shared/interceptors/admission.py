"""Lets no more calls in than the service can work on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.admission import Admission
from shared.errors import ResourceExhaustedError
from shared.interceptors.pipeline import Call, Context, Layer
from shared.metrics import QUEUE, REJECTED


class AdmissionLayer(Layer):
    """Holds a place in `admission` while a call is answered."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        place = self._admission.admit()
        try:
            call.queue_nanos = await place.__aenter__()
        except ResourceExhaustedError:
            REJECTED.labels(call.method).inc()
            call.notes.shed = "admission"
            raise
        QUEUE.observe(call.queue_nanos / 1e9)
        try:
            yield
        finally:
            await place.__aexit__(None, None, None)
