"""Counts and times every call."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.interceptors.errors import outcome
from shared.interceptors.pipeline import Call, Context, Layer
from shared.metrics import IN_FLIGHT, LATENCY, REQUESTS


class MetricsLayer(Layer):
    """Feeds the request metrics of `shared.metrics`."""

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        in_flight = IN_FLIGHT.labels(call.method)
        in_flight.inc()
        raised: BaseException | None = None
        try:
            yield
        except BaseException as error:
            raised = error
            raise
        finally:
            in_flight.dec()
            LATENCY.labels(call.method).observe(call.elapsed_nanos() / 1e9)
            REQUESTS.labels(call.method, outcome(raised, context).name).inc()
