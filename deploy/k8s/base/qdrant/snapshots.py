"""Snapshots of a Qdrant cluster: all collections and aliases into a folder, and back.

    python snapshots.py create --nodes http://node-0:6333,http://node-1:6333 --folder /snapshots
    python snapshots.py restore --nodes http://node-0:6333,http://node-1:6333 --folder /snapshots

A node's snapshot of a collection holds the shards that lie on that node, so each is asked for its
own, and each gets its own back (https://qdrant.tech/documentation/concepts/snapshots). The key of
the server is read from QDRANT_API_KEY.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

MANIFEST = "manifest.json"
_SECONDS = 3600.0
_CHUNK = 1024 * 1024


class SnapshotError(Exception):
    """A snapshot that cannot be made, or is not whole."""


@contextmanager
def _node(url: str) -> Iterator[httpx.Client]:
    key = os.environ.get("QDRANT_API_KEY", "")
    headers = {"api-key": key} if key else {}
    with httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=False) as client:
        yield client


def _result(response: httpx.Response) -> Any:
    if response.is_error:
        raise SnapshotError(
            f"{response.request.url} answers {response.status_code}: {response.text}"
        )
    return response.json()["result"]


def create(nodes: Sequence[str], folder: Path, keep: int = 0) -> Path:
    """Writes a snapshot of everything into a new folder below `folder`; returns it.

    Args:
        nodes: URLs of all nodes, always in the same order.
        folder: Where snapshots are kept.
        keep: Newest snapshots that stay; 0 keeps all.

    Raises:
        SnapshotError: A node refuses, or a file differs from what the node said of it.
        httpx.HTTPError: A node does not answer.
    """
    name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    # Beside its place until it is whole, so that an unfinished one is never taken for one.
    unfinished = folder / f".{name}"
    unfinished.mkdir(parents=True)
    with _node(nodes[0]) as client:
        collections = [c["name"] for c in _result(client.get("/collections"))["collections"]]
        aliases = _result(client.get("/aliases"))["aliases"]
    files = [
        _fetch(url, node, collection, unfinished)
        for collection in sorted(collections)
        for node, url in enumerate(nodes)
    ]
    manifest = {"nodes": len(nodes), "aliases": aliases, "files": files}
    (unfinished / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    whole = unfinished.rename(folder / name)
    for old in _snapshots(folder)[:-keep] if keep else []:
        shutil.rmtree(old)
    return whole


def restore(nodes: Sequence[str], folder: Path, name: str = "") -> Path:
    """Brings a snapshot back in place of what the nodes have; returns its folder.

    Args:
        nodes: URLs of all nodes, in the order that the snapshot was made in.
        folder: Where snapshots are kept.
        name: Of the snapshot; the newest when empty.

    Raises:
        SnapshotError: There is no such snapshot, a file of it is damaged, or a node refuses it.
        httpx.HTTPError: A node does not answer.
    """
    found = [each for each in _snapshots(folder) if not name or each.name == name]
    if not found:
        raise SnapshotError(f"no snapshot {name or 'at all'} in {folder}")
    manifest = json.loads((found[-1] / MANIFEST).read_text(encoding="utf-8"))
    if manifest["nodes"] != len(nodes):
        raise SnapshotError(
            f"the snapshot is of {manifest['nodes']} nodes, --nodes names {len(nodes)}"
        )
    # All of it before anything is replaced.
    for file in manifest["files"]:
        if _digest(found[-1] / file["file"]) != file["sha256"]:
            raise SnapshotError(f"{found[-1] / file['file']} is damaged")
    for file in manifest["files"]:
        path = f"/collections/{file['collection']}/snapshots/upload"
        with _node(nodes[file["node"]]) as client, (found[-1] / file["file"]).open("rb") as content:
            answer = client.post(path, params={"priority": "snapshot"}, files={"snapshot": content})
            _result(answer)
    _point(nodes[0], manifest["aliases"])
    return found[-1]


def _fetch(url: str, node: int, collection: str, folder: Path) -> dict[str, Any]:
    """Has a node make the snapshot of its shards of a collection, and takes it away."""
    with _node(url) as client:
        path = f"/collections/{collection}/snapshots"
        made = _result(client.post(path, params={"wait": "true"}))
        file = folder / f"{collection}-{node}.snapshot"
        with client.stream("GET", f"{path}/{made['name']}") as response, file.open("wb") as target:
            if response.is_error:
                raise SnapshotError(f"{response.request.url} answers {response.status_code}")
            for chunk in response.iter_bytes(_CHUNK):
                target.write(chunk)
        _result(client.delete(f"{path}/{made['name']}"))
    digest = _digest(file)
    if made.get("checksum") not in (None, digest):
        raise SnapshotError(f"{file} is not what {url} said it would be")
    return {"collection": collection, "node": node, "file": file.name, "sha256": digest}


def _point(url: str, aliases: Sequence[dict[str, str]]) -> None:
    """Has the aliases lead where they led; others that lead to collections are left."""
    actions = [{"create_alias": alias} for alias in aliases]
    if actions:
        with _node(url) as client:
            _result(client.post("/collections/aliases", json={"actions": actions}))


def _snapshots(folder: Path) -> list[Path]:
    """Returns the whole snapshots of a folder, the newest last."""
    return sorted(file.parent for file in folder.glob(f"[!.]*/{MANIFEST}"))


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=("create", "restore"))
    parser.add_argument("--nodes", required=True, help="URLs of all nodes, separated by commas")
    parser.add_argument("--folder", required=True, type=Path, help="where snapshots are kept")
    parser.add_argument("--keep", type=int, default=0, help="newest snapshots that stay; 0: all")
    parser.add_argument("--name", default="", help="of the snapshot to restore; the newest if none")
    options = parser.parse_args(arguments)
    nodes = options.nodes.split(",")
    try:
        if options.command == "create":
            print(create(nodes, options.folder, options.keep))
        else:
            print(restore(nodes, options.folder, options.name))
    except (SnapshotError, httpx.HTTPError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
