"""Options that several commands share, and their defaults from the environment."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON alone.")]
Target = Annotated[
    str | None,
    Parameter(help="HOST:PORT of the suite; WHEREFORE_TARGET or 127.0.0.1:7700 when absent."),
]
NluTarget = Annotated[
    str | None,
    Parameter(
        help="HOST:PORT of the nlu service; WHEREFORE_ORCHESTRATOR_NLU_TARGET or "
        "127.0.0.1:7701 when absent."
    ),
]
PageToken = Annotated[str, Parameter(help="Token that the page before ended with.")]
PageSize = Annotated[int, Parameter(help="Results on a page, at most 100.")]
User = Annotated[str, Parameter(help="Who asks, so that their history counts.")]
Account = Annotated[str, Parameter(help="Business account by whose terms to answer.")]
Language = Annotated[str, Parameter(help="Language of the reasons, zh or en.")]
Contributions = Annotated[
    bool, Parameter(negative="", help="Show what each feature added to each score.")
]
Timeout = Annotated[float, Parameter(help="Seconds to wait for an answer.")]
Filter = Annotated[
    str, Parameter(name="--filter", help="Condition, such as 'price < 50 AND brand: \"Sony\"'.")
]
NoTriton = Annotated[
    bool, Parameter(negative="", help="Run models in the services, without Triton.")
]
