"""The language model of reasons in Triton: all the way from evidence to tokens, told step by step.

Every model.py of such a model is a link to this file, which Triton's Python backend runs in its own
environment (numpy and ONNX Runtime, no torch). It finds the rest of the package beside itself. The
transaction policy is decoupled: each response holds what one step added to the reasons of a
request, and reasons of all requests are written together. Tensors are those of `tensors.py`.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils  # pyright: ignore[reportMissingImports] - Triton's

sys.path.append(str(Path(__file__).resolve().parents[3]))

from services.reason.wording.batch import Step
from services.reason.wording.grammar import Grammar
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.scheduler import Page, Scheduler
from services.reason.wording.served import read_grammar
from services.reason.wording.tensors import (
    BANNED,
    EVIDENCE,
    LANGUAGE,
    ROW,
    SECONDS,
    SEED,
    TOKEN,
    VOCABULARY,
    from_tensors,
    vocabulary_id,
)

_STEPS = 4
"""Steps that are sent at a time."""
_GRAMMARS = 8
"""Lists of banned words whose grammars are kept."""


class TritonPythonModel:
    """One instance of the model."""

    def initialize(self, args: Mapping[str, str]) -> None:
        """Loads a version; `args` is what Triton knows of the model."""
        parameters: Any = json.loads(args["model_config"])["parameters"]
        home = Path(args["model_repository"]) / args["model_version"]
        graph = home / parameters["graph"]["string_value"]
        engine = OnnxEngine(graph, int(parameters["threads"]["string_value"]))
        rows = int(parameters["max_rows"]["string_value"])
        self._vocabulary = vocabulary_id(home)
        self._scheduler = Scheduler(engine, SamplingSettings(), rows)

        @lru_cache(maxsize=_GRAMMARS)
        def grammar_of(banned: tuple[str, ...]) -> Grammar:
            return read_grammar(home, banned)

        self._grammar_of = grammar_of
        grammar_of(())

    def execute(self, requests: Sequence[Any]) -> None:
        """Has the reasons of some requests written; their senders answer."""
        for request in requests:
            sender = _Sender(request.get_response_sender())
            try:
                self._scheduler.submit(self._page(request, sender))
            except (ValueError, RuntimeError) as error:
                sender.end(error)

    def finalize(self) -> None:
        """Ends what is under way."""
        self._scheduler.close()

    def _page(self, request: Any, sender: "_Sender") -> Page:
        utils: Any = pb_utils
        given = {
            name: utils.get_input_tensor_by_name(request, name).as_numpy()
            for name in (EVIDENCE, LANGUAGE, SEED, VOCABULARY, SECONDS, BANNED)
        }
        if int(given[VOCABULARY][0]) != self._vocabulary:
            raise ValueError("the caller's model has other tokens than this one")
        words = tuple(word.decode() for word in given[BANNED].tolist())
        grammar = self._grammar_of(words)
        wanted = from_tensors(given, grammar.tokens)
        ends = time.monotonic() + float(given[SECONDS][0])

        def send(steps: Sequence[Step]) -> None:
            sender.send(steps, grammar)

        return Page(wanted, grammar, ends, send, sender.end, sender.is_cancelled)


class _Sender:
    """Answers one request. A caller who has gone away is no error.

    A response costs as much as a step, so that steps are sent some at a time; but for the first of
    them that ends a clause, which may be the first that anybody reads.

    Args:
        sender: Triton's, of the request.
    """

    def __init__(self, sender: Any) -> None:
        self._sender = sender
        self._held: list[Step] = []
        self._steps = 0
        self._closed = self._gone = False

    def send(self, steps: Sequence[Step], grammar: Grammar) -> None:
        """Tells what a step added."""
        self._held += steps
        self._steps += 1
        # The first token of a reason opens its first clause.
        closes = self._steps > 1 and any(
            step.token in grammar.places or step.token == grammar.end for step in steps
        )
        if (closes and not self._closed) or self._steps % _STEPS == 0:
            self._flush()
            self._gone = self._gone or bool(self._sender.is_cancelled())
        self._closed = self._closed or closes

    def end(self, error: Exception | None) -> None:
        """Ends the answer."""
        utils: Any = pb_utils
        told = utils.TritonError(str(error)) if error is not None else None
        self._flush(error=told, flags=utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)

    def is_cancelled(self) -> bool:
        """Whether nobody reads on, as far as the last response told."""
        return self._gone

    def _flush(self, error: Any = None, **flags: int) -> None:
        utils: Any = pb_utils
        held, self._held = self._held, []
        tensors = [
            utils.Tensor(ROW, np.array([step.row for step in held], dtype=np.int32)),
            utils.Tensor(TOKEN, np.array([step.token for step in held], dtype=np.int32)),
        ]
        try:
            self._sender.send(utils.InferenceResponse(output_tensors=tensors, error=error), **flags)
        except utils.TritonModelException:
            self._gone = True
