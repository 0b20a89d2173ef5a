"""Static files whose ETag is a hash of their content."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope


class HashedStaticFiles(StaticFiles):
    """Serves a folder, and answers 304 to whoever has the content already.

    Starlette makes ETags of time and size, but a reproducible wheel gives every file the same time:
    a new release could then pass for the old one. Last-Modified is left out for the same reason.
    """

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Returns the file, or 304 without a body."""
        etag = f'"{_digest(str(full_path), stat_result.st_mtime_ns, stat_result.st_size)}"'
        # "no-cache" keeps a copy and asks whether it is still right, so modules never mix releases.
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        response = FileResponse(full_path, status_code, headers, stat_result=stat_result)
        del response.headers["Last-Modified"]
        known = Headers(scope=scope).get("If-None-Match", "")
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return NotModifiedResponse(response.headers) if tags & {etag, "*"} else response


@lru_cache(maxsize=256)
def _digest(path: str, _mtime_ns: int, _size: int) -> str:
    """Hashes a file again only once it was changed in place."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:20]
