"""Every RPC of the suite, found in the descriptors: a new one is fuzzed without a new line here."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

import wherefore


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC."""

    process: str
    """Name of the process that serves it, such as "nlu"."""
    service: str
    """Full name, such as "wherefore.nlu.v1.NluService"."""
    name: str
    request: type[Message]
    response: type[Message]
    request_streaming: bool
    response_streaming: bool

    @property
    def path(self) -> str:
        """As it stands on the wire."""
        return f"/{self.service}/{self.name}"

    @property
    def short(self) -> str:
        """For people and for the names of tests, such as "nlu.NluService.Parse"."""
        return f"{self.process}.{self.service.rpartition('.')[2]}.{self.name}"


def all_methods() -> list[Method]:
    """Returns the RPCs of all contracts, by process, service and order of the contract."""
    methods = [
        _method(method)
        for file in _files()
        for service in file.services_by_name.values()
        for method in service.methods
    ]
    return sorted(methods, key=lambda method: (method.process, method.service))


def _files() -> Iterator[FileDescriptor]:
    for module in pkgutil.walk_packages(wherefore.__path__, "wherefore."):
        if module.name.endswith("_pb2"):
            yield import_module(module.name).DESCRIPTOR


def _method(descriptor: MethodDescriptor) -> Method:
    service = descriptor.containing_service.full_name
    return Method(
        process=service.split(".")[1],
        service=service,
        name=descriptor.name,
        request=GetMessageClass(descriptor.input_type),
        response=GetMessageClass(descriptor.output_type),
        request_streaming=descriptor.client_streaming,
        response_streaming=descriptor.server_streaming,
    )
