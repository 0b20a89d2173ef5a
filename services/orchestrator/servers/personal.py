"""Adds the services that guard users' data to a server."""

from pathlib import Path

import grpc.aio

from services.orchestrator.aggregates import Aggregates
from services.orchestrator.event_store import EventStore
from services.orchestrator.privacy_settings import PrivacySettings
from services.orchestrator.servers.aggregates import AggregateServer
from services.orchestrator.servers.user_data import UserDataServer
from services.orchestrator.user_data import UserData
from wherefore.orchestrator.v1.aggregate_service_pb2_grpc import (
    add_AggregateServiceServicer_to_server,
)
from wherefore.orchestrator.v1.user_data_service_pb2_grpc import (
    add_UserDataServiceServicer_to_server,
)


def add_personal_services(
    server: grpc.aio.Server,
    data: UserData,
    store: EventStore,
    settings: PrivacySettings,
    folder: Path,
) -> None:
    """Adds `UserDataService` and `AggregateService`.

    Args:
        server: Not started yet.
        data: Of users.
        store: The log that aggregates count.
        settings: Their budget.
        folder: Where it is kept.
    """
    add_UserDataServiceServicer_to_server(UserDataServer(data), server)
    aggregates = AggregateServer(Aggregates(store, settings, folder), settings.contributions)
    add_AggregateServiceServicer_to_server(aggregates, server)
