"""Stands in for grpcurl, which no package carries: same arguments and exit codes, by `buf curl`.

What `buf curl` has no word for, `describe` and the methods of one service, is asked of the server's
reflection here. What is printed is not grpcurl's text to the letter.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import grpc
from google.protobuf.descriptor import Descriptor, EnumDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

BUF = ["buf", "curl", "--protocol", "grpc"]
GRPCURL_CODES = 64
"""grpcurl exits with this and the code of the call; `buf curl` with eight times the code."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("grpcurl", allow_abbrev=False)
    parser.add_argument("-plaintext", action="store_true")
    for name in ("-cacert", "-cert", "-key", "-d", "-max-time"):
        parser.add_argument(name)
    for name in ("-H", "-rpc-header"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("-emit-defaults", action="store_true")
    parser.add_argument("address")
    parser.add_argument("verb")
    parser.add_argument("symbol", nargs="?")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    if asked.verb == "list" and asked.symbol is None:
        return call(asked, "", "--list-services")
    if asked.verb in ("list", "describe"):
        return tell(asked)
    return call(asked, f"/{asked.verb}")


def call(asked: argparse.Namespace, path: str, *more: str) -> int:
    command = [*BUF, *more]
    if asked.plaintext:
        command.append("--http2-prior-knowledge")
    for name in ("cacert", "cert", "key"):
        if value := getattr(asked, name):
            command += [f"--{name}", value]
    for header in asked.H:
        command += ["--header", header, "--reflect-header", header]
    for header in asked.rpc_header:
        command += ["--header", header]
    if asked.d is not None:
        command += ["--data", "@-" if asked.d == "@" else asked.d]
    if asked.emit_defaults:
        command.append("--emit-defaults")
    scheme = "http" if asked.plaintext else "https"
    seconds = float(asked.max_time) if asked.max_time else None
    command.append(f"{scheme}://{asked.address}{path}")
    code = subprocess.run(command, timeout=seconds, check=False).returncode
    return GRPCURL_CODES + (code >> 3) if code >= 8 else code


def tell(asked: argparse.Namespace) -> int:
    """Prints the methods of a service, or a symbol as its descriptor has it."""
    with channel(asked) as opened:
        database = ProtoReflectionDescriptorDatabase(opened)
        pool = DescriptorPool(database)
        symbol = asked.symbol or ""
        file = pool.FindFileContainingSymbol(symbol)
        name = symbol.removeprefix(f"{file.package}.")
        services = dict(file.services_by_name)
        if asked.verb == "list":
            print(*(method.full_name for method in services[name].methods), sep="\n")
            return 0
        found: ServiceDescriptor | Descriptor | EnumDescriptor = (
            services.get(name) or file.message_types_by_name.get(name)
            or file.enum_types_by_name[name]
        )  # fmt: skip
        print(described(found))
    return 0


def channel(asked: argparse.Namespace) -> grpc.Channel:
    if asked.plaintext:
        return grpc.insecure_channel(asked.address)
    files = [
        Path(each).read_bytes() if each else None for each in (asked.cacert, asked.key, asked.cert)
    ]
    opened = grpc.secure_channel(asked.address, grpc.ssl_channel_credentials(*files))
    metadata = [tuple(header.split(": ", 1)) for header in asked.H]
    return grpc.intercept_channel(opened, WithMetadata(metadata))


class WithMetadata(grpc.StreamStreamClientInterceptor):
    """Adds headers to reflection's calls."""

    def __init__(self, metadata: list[tuple[str, ...]]) -> None:
        self._metadata = metadata

    def intercept_stream_stream(self, continuation, client_call_details, request_iterator):
        details = client_call_details._replace(metadata=self._metadata)
        return continuation(details, request_iterator)


def described(found: ServiceDescriptor | Descriptor | EnumDescriptor) -> Message:
    from google.protobuf import descriptor_pb2

    kinds = {
        ServiceDescriptor: descriptor_pb2.ServiceDescriptorProto,
        Descriptor: descriptor_pb2.DescriptorProto,
        EnumDescriptor: descriptor_pb2.EnumDescriptorProto,
    }
    proto = next(made for kind, made in kinds.items() if isinstance(found, kind))()
    found.CopyToProto(proto)
    return proto


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.exit(main())
