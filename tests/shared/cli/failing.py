"""How a fake fails: as the services do."""

import grpc
from grpc_status import rpc_status

from shared.errors import WhereforeError, status_proto


def fail(context: grpc.ServicerContext, error: WhereforeError) -> None:
    """End a call as the services do, with google.rpc details."""
    context.abort_with_status(rpc_status.to_status(status_proto(error)))
