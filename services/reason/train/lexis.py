"""The lexis: which tokens the corpus uses in the clauses of each kind of evidence."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from services.reason.train.vocabulary import Vocabulary


def lexis_of(rows: Iterable[Mapping[str, Any]], vocabulary: Vocabulary) -> dict[str, list[int]]:
    """Returns the ids that the clauses of a corpus hold, by language and kind, slots included."""
    found: dict[str, set[int]] = defaultdict(set)
    memory: dict[str, list[int]] = {}
    for row in rows:
        kinds = [one["kind"] for one in row["evidence"]]
        for clause in row["reason_sequence"]:
            if clause not in memory:
                memory[clause] = vocabulary.clause_ids(clause)
            place = int(clause[1 : clause.index(">")])
            found[f"{row['language']}/{kinds[place - 1]}"].update(memory[clause])
    return {key: sorted(ids) for key, ids in sorted(found.items())}
