"""Which models the Triton of a suite serves, and whether there is one."""

from collections.abc import Mapping, Sequence
from typing import Literal

from shared.inference.settings import (
    ATTRIBUTION_MODEL,
    CROSS_MODEL,
    PICTURE_MODEL,
    QUERY_MODELS,
)
from shared.suite import triton
from shared.suite.environment import chosen_models
from shared.suite.errors import SuiteError


def served(encoder: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Returns what Triton loads: the encoder, and of the others in use those that were made."""
    others = dict.fromkeys(
        (
            *QUERY_MODELS.values(),
            CROSS_MODEL,
            ATTRIBUTION_MODEL,
            PICTURE_MODEL,
            *chosen_models(variables),
        )
    )
    return (encoder, *(name for name in others if name != encoder and triton.is_made(name)))


def absence(wanted: bool | Literal["auto"], models: Sequence[str]) -> str | None:
    """Returns why Triton is no part of a suite; None where it is.

    Raises:
        SuiteError: It is wanted whatever comes, and cannot run.
    """
    if wanted is False:
        return "turned off"
    problem = triton.problem(models)
    if wanted is True and problem is not None:
        raise SuiteError(f"Triton can't run here: {problem}")
    return problem
