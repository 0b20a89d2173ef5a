"""Which process listens where."""

import contextlib
import socket
from typing import Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES = ("nlu", "retrieval", "ranking", "reason", "recommend", "orchestrator")
"""The services of search and recommendation, each after those that it calls."""
APPLICATIONS = ("assistant", "insight")
"""What stands on them, and is started with them by `wherefore up`."""
ALL = (*SERVICES, *APPLICATIONS)


class PortPlan(BaseSettings):
    """The ports of one suite; each field can be set by the variable that its alias names."""

    model_config = SettingsConfigDict(populate_by_name=True, env_ignore_empty=True)

    orchestrator: int = Field(7700, ge=0, le=65535, alias="WHEREFORE_ORCHESTRATOR_PORT")
    nlu: int = Field(7701, ge=0, le=65535, alias="WHEREFORE_NLU_PORT")
    retrieval: int = Field(7702, ge=0, le=65535, alias="WHEREFORE_RETRIEVAL_PORT")
    ranking: int = Field(7703, ge=0, le=65535, alias="WHEREFORE_RANKING_PORT")
    reason: int = Field(7704, ge=0, le=65535, alias="WHEREFORE_REASON_PORT")
    recommend: int = Field(7705, ge=0, le=65535, alias="WHEREFORE_RECOMMEND_PORT")
    orchestrator_inner: int = Field(7706, ge=0, le=65535, alias="WHEREFORE_ORCHESTRATOR_INNER_PORT")
    assistant: int = Field(7707, ge=0, le=65535, alias="WHEREFORE_ASSISTANT_PORT")
    insight: int = Field(7708, ge=0, le=65535, alias="WHEREFORE_INSIGHT_PORT")
    triton_http: int = Field(7710, ge=0, le=65535, alias="WHEREFORE_TRITON_HTTP_PORT")
    triton_grpc: int = Field(7711, ge=0, le=65535, alias="WHEREFORE_TRITON_GRPC_PORT")
    triton_metrics: int = Field(7712, ge=0, le=65535, alias="WHEREFORE_TRITON_METRICS_PORT")
    orchestrator_http: int = Field(7780, ge=0, le=65535, alias="WHEREFORE_ORCHESTRATOR_HTTP_PORT")
    orchestrator_metrics: int = Field(
        7790, ge=0, le=65535, alias="WHEREFORE_ORCHESTRATOR_METRICS_PORT"
    )
    nlu_metrics: int = Field(7791, ge=0, le=65535, alias="WHEREFORE_NLU_METRICS_PORT")
    retrieval_metrics: int = Field(7792, ge=0, le=65535, alias="WHEREFORE_RETRIEVAL_METRICS_PORT")
    ranking_metrics: int = Field(7793, ge=0, le=65535, alias="WHEREFORE_RANKING_METRICS_PORT")
    reason_metrics: int = Field(7794, ge=0, le=65535, alias="WHEREFORE_REASON_METRICS_PORT")
    recommend_metrics: int = Field(7795, ge=0, le=65535, alias="WHEREFORE_RECOMMEND_METRICS_PORT")
    assistant_metrics: int = Field(7797, ge=0, le=65535, alias="WHEREFORE_ASSISTANT_METRICS_PORT")
    insight_metrics: int = Field(7798, ge=0, le=65535, alias="WHEREFORE_INSIGHT_METRICS_PORT")

    @classmethod
    def fixed(cls) -> Self:
        """Returns the documented ports, or those that the environment sets instead."""
        return cls()  # pyright: ignore[reportCallIssue] - every field has a default

    @classmethod
    def free(cls) -> Self:
        """Returns ports that nobody listens on now, for a private suite."""
        with contextlib.ExitStack() as stack:
            ports: dict[str, int] = {}
            for name in cls.model_fields:
                listener = stack.enter_context(socket.socket())
                listener.bind(("127.0.0.1", 0))
                ports[name] = listener.getsockname()[1]
        return cls(**ports)

    def of(self, process: str) -> dict[str, int]:
        """Returns the ports that `process` opens, by field name; its gRPC port comes first."""
        if process == "triton":
            names = ["triton_grpc", "triton_http", "triton_metrics"]
        else:
            names = [process, f"{process}_inner", f"{process}_http", f"{process}_metrics"]
        ports = {name: getattr(self, name, 0) for name in names}
        return {name: port for name, port in ports.items() if port}

    def environment(self) -> dict[str, str]:
        """Returns the variables that make `fixed` of another process be this plan."""
        return {self.variable(name): str(getattr(self, name)) for name in type(self).model_fields}

    @classmethod
    def variable(cls, name: str) -> str:
        """Returns the environment variable that sets the field `name`."""
        return cls.model_fields[name].alias or name


def taken(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody listens on `port`."""
    with socket.socket() as probe:
        # As servers do: a port that only lingers in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False
