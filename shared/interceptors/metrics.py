"""Counts and times every call."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import grpc

from shared.interceptors.errors import at_end
from shared.interceptors.pipeline import Call, Context, Layer
from shared.metrics import IN_FLIGHT, LATENCY, REQUESTS


class MetricsLayer(Layer):
    """Feeds the request metrics of `shared.metrics`."""

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        in_flight = IN_FLIGHT.labels(call.method)
        in_flight.inc()

        def count(code: grpc.StatusCode) -> None:
            in_flight.dec()
            LATENCY.labels(call.method).observe(call.elapsed_nanos() / 1e9)
            REQUESTS.labels(call.method, code.name).inc()

        with at_end(context, count):
            yield
