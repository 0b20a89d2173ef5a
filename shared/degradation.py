"""What a service tells of a part that it went without."""

import grpc

from shared.errors import CircuitOpenError, WhereforeError
from shared.metrics import count_degradation
from wherefore.common.v1.diagnostics_pb2 import (
    DEGRADATION_CAUSE_CIRCUIT_OPEN,
    DEGRADATION_CAUSE_DEADLINE,
    DEGRADATION_CAUSE_ERROR,
    DEGRADATION_CAUSE_OVERLOADED,
    DEGRADATION_CAUSE_UNAVAILABLE,
    Degradation,
    DegradationCause,
)

_CAUSES: "dict[grpc.StatusCode, DegradationCause.ValueType]" = {
    grpc.StatusCode.UNAVAILABLE: DEGRADATION_CAUSE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: DEGRADATION_CAUSE_DEADLINE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: DEGRADATION_CAUSE_OVERLOADED,
}


def cause_of(error: WhereforeError) -> "DegradationCause.ValueType":
    """Returns the cause that an error amounts to."""
    if isinstance(error, CircuitOpenError):
        return DEGRADATION_CAUSE_CIRCUIT_OPEN
    return _CAUSES.get(error.code, DEGRADATION_CAUSE_ERROR)


def degradation(
    stage: str, cause: "DegradationCause.ValueType", *, fallback: str, detail: str
) -> Degradation:
    """Returns what the answer tells, and counts it in the metrics.

    Args:
        stage: In dotted form.
        cause: Why it was skipped.
        fallback: What answered instead.
        detail: For operators; names no user data.
    """
    name = DegradationCause.Name(cause).removeprefix("DEGRADATION_CAUSE_").lower()
    count_degradation(stage, name)
    return Degradation(stage=stage, cause=cause, fallback=fallback, detail=detail)
