"""A pass of a model on the threads that are its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from shared.errors import DeadlineExceededError, UnavailableError

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


async def run_model(
    pool: ThreadPoolExecutor,
    model: str,
    seconds: float,
    forward: Callable[[*_Ts], _T],
    *arguments: *_Ts,
) -> _T:
    """Runs a pass; one that still waits for the thread is cancelled with the request.

    Args:
        pool: Of the model.
        model: Its name, for errors.
        seconds: What waiting and the pass may take.
        forward: The pass.
        *arguments: Of it.

    Raises:
        DeadlineExceededError: It did not answer in time.
        UnavailableError: The pool is shut down.
    """
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().run_in_executor(pool, forward, *arguments)
    except TimeoutError:
        raise DeadlineExceededError(f"{model} did not answer in time") from None
    except RuntimeError as error:
        raise UnavailableError(f"{model} is closed") from error
