"""The HTTP routes of the form: JSON to the queue and back."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from services.nlu.labelling.items import Item, read_spans, span_rows
from services.nlu.labelling.queue import LabelQueue
from services.nlu.labelling.task import Answer, LabellingError
from shared.errors import InvalidArgumentError
from shared.web.body import read_json_body
from shared.web.headers import SecurityHeaders
from shared.web.static_files import HashedStaticFiles

STATIC: Final = Path(__file__).parent / "static"


class Act(BaseModel):
    """What the page sends: who acts, on which text, and the answer."""

    model_config = ConfigDict(extra="forbid")

    annotator: StrictStr
    item: StrictStr = ""
    label: StrictStr = ""
    spans: list[tuple[StrictInt, StrictInt, StrictStr]] = []
    note: StrictStr = ""


def make_app(queue: LabelQueue, *, hosts: list[str], show_guess: bool = True) -> Starlette:
    """Returns the application.

    Args:
        queue: Where answers are kept; an answer to the page says that they are on the disk.
        hosts: Names under which the page may be asked for. Another site whose name was made to
            point here (DNS rebinding) would pass for the same origin otherwise.
        show_guess: Whether the page shows what the model thinks, which is quick but may sway.
    """
    static = HashedStaticFiles(directory=STATIC)

    async def page(request: Request) -> Response:
        return await static.get_response("index.html", request.scope)

    async def task(_: Request) -> Response:
        return JSONResponse(
            {
                "head": queue.task.head,
                "kind": str(queue.task.kind),
                "labels": queue.task.labels,
                "strategy": str(queue.strategy),
            }
        )

    def route(path: str, act: Callable[[Act], None]) -> Route:
        async def handle(request: Request) -> Response:
            try:
                asked = Act.model_validate_json(await read_json_body(request))
                # The queue waits for the disk, and may choose a batch: not on the event loop.
                state = await asyncio.to_thread(_step, queue, asked, act, show_guess=show_guess)
            except ValidationError as error:
                return _failure(_described(error))
            except InvalidArgumentError as error:
                return _failure(error.message)
            except LabellingError as error:
                return _failure(str(error))
            except OSError as error:
                return _failure(f"the answer could not be kept: {error.strerror}", 503)
            return JSONResponse(state)

        return Route(path, handle, methods=["POST"])

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/task", task),
            route("/api/next", lambda _: None),
            route("/api/label", lambda asked: _label(queue, asked)),
            route("/api/skip", lambda asked: queue.skip(asked.annotator, asked.item, asked.note)),
            route("/api/undo", lambda asked: _undo(queue, asked)),
            Mount("/static", static),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            Middleware(SecurityHeaders),
        ],
    )


def _step(
    queue: LabelQueue, asked: Act, act: Callable[[Act], None], *, show_guess: bool
) -> dict[str, Any]:
    """Acts, then returns what the page shows next."""
    act(asked)
    item = queue.next(asked.annotator)
    progress = queue.progress(asked.annotator)
    return {
        "item": _shown(queue, item, show_guess=show_guess) if item else None,
        "progress": {
            "labelled": progress.labelled,
            "skipped": progress.skipped,
            "left": progress.left,
            "counts": dict(progress.counts),
        },
    }


def _label(queue: LabelQueue, asked: Act) -> None:
    answer = Answer(asked.label, read_spans(list(asked.spans)))
    queue.label(asked.annotator, asked.item, answer, asked.note)


def _undo(queue: LabelQueue, asked: Act) -> None:
    if queue.undo(asked.annotator) is None:
        raise LabellingError("there is nothing to undo")


def _shown(queue: LabelQueue, item: Item, *, show_guess: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": item.id, "text": item.text}
    guess = item.reading.guess(queue.task) if item.reading else None
    if show_guess and guess is not None and item.reading:
        shown["guess"] = {
            "label": guess.label,
            "spans": span_rows(guess.spans),
            "confidence": item.reading.classes.get(guess.label),
            "model": item.reading.model,
        }
    return shown


def _described(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in error.errors()
    )


def _failure(message: str, status: int = 400) -> Response:
    return JSONResponse({"error": message}, status)
