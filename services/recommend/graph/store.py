"""A knowledge graph in one file: written whole or not at all, and checked when it is read.

The file is gzipped JSON, `{"format", "version", "nodes", "edges"}`, with nodes and edges sorted and
no time stamp: equal graphs make equal files. gzip's CRC and length tell a file that is damaged.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.recommend.graph.knowledge_graph import GraphError, KnowledgeGraph
from services.recommend.graph.schema import EdgeKind, Fact, Node, NodeKind, Source
from shared.durable_file import write_durably

VERSION = 1
"""Of the format; a file of another version is refused, and the graph is built anew."""
_FORMAT = "wherefore-knowledge-graph"
_LEVEL = 6


class GraphFileError(ValueError):
    """A file cannot be read as a graph or written; the message names it."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["wherefore-knowledge-graph"]
    version: Literal[1]
    nodes: list[tuple[NodeKind, str, str]]
    edges: list[
        tuple[
            EdgeKind,
            int,
            int,
            Source,
            Annotated[float, Field(gt=0.0, le=1.0)],
            str,
        ]
    ]
    """Kind, subject and object as positions in `nodes`, source, weight, evidence."""


def save_graph(graph: KnowledgeGraph, path: Path) -> None:
    """Write a graph durably: a crash leaves the file as it was before, or the new one whole.

    Args:
        graph: What to write.
        path: The file; its folder is made when absent.

    Raises:
        GraphFileError: It cannot be written.
    """
    try:
        write_durably(path, gzip.compress(_encode(graph), _LEVEL, mtime=0))
    except OSError as error:
        raise GraphFileError(f"cannot write {path}: {error}") from error


def load_graph(path: Path) -> KnowledgeGraph:
    """Read a graph that `save_graph` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        GraphFileError: It is damaged, of another format or version, or holds no valid graph.
    """
    try:
        document = _Document.model_validate_json(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise GraphFileError(f"{path} is damaged: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise GraphFileError(
            f"{path} is no graph of version {VERSION}: {where}: {first['msg']}"
        ) from error
    nodes = [Node(kind, key, label) for kind, key, label in document.nodes]
    try:
        facts = [
            Fact(kind, _at(nodes, subject), _at(nodes, target), source, weight, evidence)
            for kind, subject, target, source, weight, evidence in document.edges
        ]
        return KnowledgeGraph(nodes, facts)
    except GraphError as error:
        raise GraphFileError(f"{path} holds no valid graph: {error}") from error


def _encode(graph: KnowledgeGraph) -> bytes:
    nodes = sorted(graph.nodes(), key=lambda node: (node.kind, node.key))
    at = {(node.kind, node.key): place for place, node in enumerate(nodes)}
    edges = sorted(
        (
            fact.kind,
            at[fact.subject.kind, fact.subject.key],
            at[fact.object.kind, fact.object.key],
            fact.source,
            fact.weight,
            fact.evidence,
        )
        for fact in graph.facts()
    )
    document = {
        "format": _FORMAT,
        "version": VERSION,
        "nodes": [(node.kind, node.key, node.label) for node in nodes],
        "edges": edges,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _at(nodes: list[Node], place: int) -> Node:
    if not 0 <= place < len(nodes):
        raise GraphError(f"an edge ends at node {place} of {len(nodes)}")
    return nodes[place]
