"""Pages of the contracts, from the comments of protos/: a page for each package.

protoc's descriptors hold every comment; see SourceCodeInfo in google/protobuf/descriptor.proto.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parents[1] / "protos"

_OURS = re.compile(r"\.(?P<package>wherefore\.\w+\.v\d+)\.(?P<type>.+)")

_SERVICE, _MESSAGE, _ENUM = 6, 4, 5
"""Numbers of FileDescriptorProto's fields, which paths of comments begin with."""
_FIELD, _NESTED, _NESTED_ENUM, _VALUE, _METHOD = 2, 3, 4, 2, 2


@cache
def pages() -> dict[str, str]:
    """Every page by its path in the site, contracts/index.md first."""
    packages: dict[str, list[FileDescriptorProto]] = {}
    for file in _descriptors():
        packages.setdefault(file.package, []).append(file)
    listed = "\n".join(f"- [{name}]({name}.md)" for name in sorted(packages))
    lead = "What the services say to each other and to callers, by package."
    index = f"# Contracts\n\n{lead}\n\n{listed}\n"
    found = {"contracts/index.md": index}
    for name, files in sorted(packages.items()):
        found[f"contracts/{name}.md"] = _page(name, files)
    return found


def page_of(path: str) -> str | None:
    """The page that shows a file or folder of protos/; None where several do."""
    parts = Path(path).relative_to("protos").parts
    named = ".".join(part for part in parts if not part.endswith(".proto"))
    page = f"contracts/{named}.md"
    return page if page in pages() else None


def _descriptors() -> Sequence[FileDescriptorProto]:
    files = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.pb"
        code = protoc.main(
            [
                "protoc",
                f"--proto_path={PROTOS}",
                f"--proto_path={Path(grpc_tools.__file__).parent / '_proto'}",
                f"--descriptor_set_out={out}",
                "--include_source_info",
                *files,
            ]
        )
        if code:
            raise RuntimeError("protoc failed; `buf lint` says more")
        return FileDescriptorSet.FromString(out.read_bytes()).file


def _page(package: str, files: Sequence[FileDescriptorProto]) -> str:
    parts = [f"# {package}"]
    for file in files:
        says = {tuple(item.path): item.leading_comments for item in file.source_code_info.location}
        for number, service in enumerate(file.service):
            parts += _service(service, (_SERVICE, number), says)
    for file in files:
        says = {tuple(item.path): item.leading_comments for item in file.source_code_info.location}
        for number, message in enumerate(file.message_type):
            parts += _message(message, message.name, (_MESSAGE, number), says)
        for number, enum in enumerate(file.enum_type):
            parts += _enum(enum, enum.name, (_ENUM, number), says)
    return "\n\n".join(parts) + "\n"


_Says = dict[tuple[int, ...], str]
_Path = tuple[int, ...]


def _text(says: _Says, path: _Path) -> str:
    """A comment as one line, its marks left as they are."""
    words = " ".join(says.get(path, "").split())
    return words.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")


def _service(service: ServiceDescriptorProto, path: _Path, says: _Says) -> Iterator[str]:
    yield f"## {service.name}"
    yield _text(says, path)
    for number, method in enumerate(service.method):
        request = ("stream " if method.client_streaming else "") + _short(method.input_type)
        response = ("stream " if method.server_streaming else "") + _short(method.output_type)
        yield f"**{method.name}** ({request}) → {response}"
        yield _text(says, (*path, _METHOD, number))


def _message(message: DescriptorProto, name: str, path: _Path, says: _Says) -> Iterator[str]:
    if message.options.map_entry:
        return
    yield f"## {name}"
    yield _text(says, path)
    if message.field:
        rows = "\n".join(
            f"| `{field.name}` | {field.number} | {_type(field, message)} "
            f"| {_text(says, (*path, _FIELD, number))} |"
            for number, field in enumerate(message.field)
        )
        yield f"| field | no. | type | |\n| --- | ---: | --- | --- |\n{rows}"
    for number, nested in enumerate(message.nested_type):
        yield from _message(nested, f"{name}.{nested.name}", (*path, _NESTED, number), says)
    for number, enum in enumerate(message.enum_type):
        yield from _enum(enum, f"{name}.{enum.name}", (*path, _NESTED_ENUM, number), says)


def _enum(enum: EnumDescriptorProto, name: str, path: _Path, says: _Says) -> Iterator[str]:
    yield f"## {name}"
    yield _text(says, path)
    rows = "\n".join(
        f"| `{value.name}` | {value.number} | {_text(says, (*path, _VALUE, number))} |"
        for number, value in enumerate(enum.value)
    )
    yield f"| value | no. | |\n| --- | ---: | --- |\n{rows}"


def _type(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    name = _short(field.type_name) if field.type_name else kind
    for nested in message.nested_type:
        if nested.options.map_entry and field.type_name.endswith(f".{nested.name}"):
            key, value = nested.field
            return f"map of {_type(key, nested)} to {_type(value, nested)}"
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"list of {name}"
    return f"{name}, optional" if field.proto3_optional else name


def _short(name: str) -> str:
    """A type's name, with a link to what is said of it where it is ours."""
    found = _OURS.match(name)
    if found is None:
        return name.removeprefix(".")
    anchor = found["type"].lower().replace(".", "")
    short = f"{found['package'].removeprefix('wherefore.')}.{found['type']}"
    return f"[{short}]({found['package']}.md#{anchor})"
