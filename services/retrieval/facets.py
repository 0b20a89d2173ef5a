"""Facets: the values of fields, with their numbers of products among those of a query.

A condition of the caller's filter on a facet's own field is left out of its counts, as in every
shop where more than one value can be chosen.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.retrieval.catalogue import Catalogue
from services.retrieval.facet_fields import FacetKind, categories, check_key
from services.retrieval.fields import number_path
from services.retrieval.filters import ATTRIBUTES
from services.retrieval.labels import Labels
from services.retrieval.search import Searcher, SearchQuery
from services.retrieval.store.conditions import AnyOf, Condition, PointIn, Present, Range, all_of
from shared.filter_syntax import Operator, Restriction, Value, format_filter, join_and
from shared.number_intervals import (
    DEFAULT_INTERVALS,
    RATINGS,
    Interval,
    balanced,
    condition_of,
)
from shared.own_conditions import own_condition_dropped
from shared.text.normalise import fold
from shared.timing import StageTimer

DEFAULT_VALUES: Final = 10
# Qdrant wants a limit; no catalogue has so many values.
_ALL_VALUES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class FacetSpec:
    """A field to count; see FacetSpec of the contract."""

    key: str
    limit: int = 0
    prefix: str = ""
    intervals: Sequence[Interval] = ()


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value with its number of products; `interval` for a number, `value` for a word."""

    count: int
    filter: str
    value: str = ""
    label: str = ""
    interval: Interval | None = None


@dataclass(slots=True)
class Facet:
    """The values of a field."""

    key: str
    own_condition_left_out: bool
    counted: int = 0
    """Products it was counted over."""
    value_count: int = 0
    values: list[FacetValue] = field(default_factory=list[FacetValue])


@dataclass(frozen=True, slots=True)
class _Base:
    """The products that a facet is counted over."""

    where: Condition | None
    size: int


class FacetCounter:
    """Counts facets over a catalogue. Every engine call runs in the executor."""

    def __init__(
        self, catalogue: Catalogue, searcher: Searcher, executor: Executor, candidates: int
    ) -> None:
        self._catalogue = catalogue
        self._searcher = searcher
        self._executor = executor
        self._candidates = candidates
        self._labels = Labels(catalogue.store)

    async def count(
        self,
        query: SearchQuery,
        specs: Sequence[FacetSpec],
        *,
        over_filter: bool,
        timer: StageTimer,
        fixed: str = "",
    ) -> list[Facet]:
        """Counts facets.

        Args:
            query: Whose products are counted; its filter is the caller's.
            specs: Fields to count.
            over_filter: Count all products that meet the filter, not the query's candidates only.
            timer: Takes the time of the legs and of "retrieval.facets".
            fixed: Filter that products must meet besides, of which no part is ever left out.

        Raises:
            InvalidArgumentError: For a filter of unknown fields, or a field that has no facets; it
                names `facets[n].key`.
        """
        with timer.stage("retrieval.facets"):
            attributes = self._catalogue.compiler.attributes
            kinds = [
                check_key(spec.key, attributes, f"facets[{number}]", bool(spec.intervals))
                for number, spec in enumerate(specs)
            ]
            # The whole filter is checked even where every facet leaves a part of it out.
            await self._run(self._searcher.compile, join_and(query.filter, fixed), ())
            own = [own_condition_dropped(query.filter, spec.key) for spec in specs]
            filters = [join_and(text, fixed) for text in own]
            bases = await self._bases(query, set(filters), over_filter=over_filter, timer=timer)
            return await asyncio.gather(
                *(
                    self._run(self._facet, spec, kind, bases[text], left != query.filter)
                    for spec, kind, text, left in zip(specs, kinds, filters, own, strict=True)
                )
            )

    async def _bases(
        self, query: SearchQuery, filters: set[str], *, over_filter: bool, timer: StageTimer
    ) -> Mapping[str, _Base]:
        bases: dict[str, _Base] = {}
        for text in sorted(filters):
            where, _ = await self._run(self._searcher.compile, text, query.constraints)
            if over_filter:
                size = await self._run(self._exact_count, where)
                bases[text] = _Base(where, size)
            else:
                narrowed = replace(query, filter=text, limit=self._candidates)
                fused, _ = await self._searcher.fused(narrowed, where, timer)
                points = tuple(entry.point for entry in fused)
                bases[text] = _Base(PointIn(points), len(points))
        return bases

    def _exact_count(self, where: Condition | None) -> int:
        return self._catalogue.store.count(where, exact=True)

    def _facet(self, spec: FacetSpec, kind: FacetKind, base: _Base, left_out: bool) -> Facet:
        facet = Facet(spec.key, left_out, base.size)
        if kind is FacetKind.NUMBER:
            facet.values = self._numbers(spec, base)
            facet.value_count = len(facet.values)
        else:
            counts = self._counts(spec, base)
            facet.value_count = len(counts)
            facet.values = [
                FacetValue(
                    count=count,
                    filter=format_filter(Restriction(spec.key, Operator.HAS, (Value(value),))),
                    value=value,
                    label=self._labels.of(spec.key, value),
                )
                for value, count in counts[: spec.limit or DEFAULT_VALUES]
            ]
        return facet

    def _counts(self, spec: FacetSpec, base: _Base) -> list[tuple[str, int]]:
        store = self._catalogue.store
        wanted = fold(spec.prefix)
        if spec.key.startswith(ATTRIBUTES):
            # One index holds the values of all attributes, as "key=value".
            name = spec.key.removeprefix(ATTRIBUTES)
            where = all_of(base.where, AnyOf("attribute", (name,)))
            head = f"{name}="
            found = [
                (value.removeprefix(head), count)
                for value, count in store.facet("attribute", _ALL_VALUES, where)
                if value.startswith(head)
            ]
        else:
            found = store.facet(spec.key, _ALL_VALUES, base.where)
        if spec.key == "category":
            found = categories(found)
        return [(value, count) for value, count in found if value.startswith(wanted)]

    def _numbers(self, spec: FacetSpec, base: _Base) -> list[FacetValue]:
        path = _path(spec.key)
        store = self._catalogue.store
        if path != spec.key:
            self._catalogue.prepare(Range(path))

        def count(interval: Interval) -> int:
            bounds = Range(path, at_least=interval.low, below=interval.high)
            return store.count(all_of(base.where, bounds), exact=True)

        intervals = spec.intervals or (RATINGS if spec.key == "rating" else ())
        if not intervals:
            total = store.count(all_of(base.where, Present(path)), exact=True)
            intervals = (
                balanced(
                    total,
                    lambda bound: count(Interval(high=bound)),
                    spec.limit or DEFAULT_INTERVALS,
                )
                if total
                else []
            )
        if spec.limit:
            intervals = intervals[: spec.limit]
        return [
            FacetValue(count(each), condition_of(spec.key, each), interval=each)
            for each in intervals
        ]

    async def _run(self, function: Callable[..., Any], *arguments: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, *arguments)


def _path(key: str) -> str:
    return number_path(key.removeprefix(ATTRIBUTES)) if key.startswith(ATTRIBUTES) else key
