"""Servers that speak the part of Qdrant's HTTP that snapshots need (its OpenAPI of 1.16).

They hold what a node's snapshot of a collection would: some bytes of their own.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse


class Node:
    """One node: shards of collections, as bytes, and aliases."""

    def __init__(self, shards: dict[str, bytes], aliases: dict[str, str], key: str = "") -> None:
        self.shards, self.aliases, self.key = shards, aliases, key
        self.snapshots: dict[tuple[str, str], bytes] = {}
        self.checksum_is_wrong = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def answer(  # noqa: PLR0911 - a case a route
        self, method: str, target: str, headers: Any, body: bytes
    ) -> tuple[int, Any]:
        """Returns the status, and the result or the bytes of a file."""
        if self.key and headers.get("api-key") != self.key:
            return 401, "Must provide an API key"
        url = urlparse(target)
        match method, url.path.strip("/").split("/"):
            case "GET", ["collections"]:
                return 200, {"collections": [{"name": name} for name in self.shards]}
            case "GET", ["aliases"]:
                pairs = self.aliases.items()
                return 200, {"aliases": [{"alias_name": a, "collection_name": c} for a, c in pairs]}
            case "POST", ["collections", "aliases"]:
                for action in json.loads(body)["actions"]:
                    alias = action["create_alias"]
                    self.aliases[alias["alias_name"]] = alias["collection_name"]
                return 200, True
            case "POST", ["collections", name, "snapshots"]:
                content = self.shards[name]
                self.snapshots[name, "one.snapshot"] = content
                digest = hashlib.sha256(content).hexdigest()
                digest = digest[::-1] if self.checksum_is_wrong else digest
                return 200, {"name": "one.snapshot", "size": len(content), "checksum": digest}
            case "GET", ["collections", name, "snapshots", file]:
                return 200, self.snapshots[name, file]
            case "DELETE", ["collections", name, "snapshots", file]:
                del self.snapshots[name, file]
                return 200, True
            case "POST", ["collections", name, "snapshots", "upload"]:
                if parse_qs(url.query).get("priority") != ["snapshot"]:
                    return 400, "replicas would win over the snapshot"
                self.shards[name] = _part(headers, body)
                return 200, True
        return 404, f"no {method} {url.path}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            def _do(self) -> None:
                size = int(self.headers.get("content-length", 0))
                body = self.rfile.read(size)
                status, result = node.answer(self.command, self.path, self.headers, body)
                sent = result if isinstance(result, bytes) else _wrapped(status, result)
                self.send_response(status)
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_DELETE = _do  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _wrapped(status: int, result: Any) -> bytes:
    if status == 200:
        return json.dumps({"result": result, "status": "ok", "time": 0.1}).encode()
    return json.dumps({"status": {"error": result}, "time": 0.1}).encode()


def _part(headers: Any, body: bytes) -> bytes:
    """Returns the file of a form."""
    head = f"content-type: {headers['content-type']}\r\n\r\n".encode()
    (part,) = BytesParser().parsebytes(head + body).get_payload()
    assert 'name="snapshot"' in part["content-disposition"]
    return part.get_payload(decode=True)
