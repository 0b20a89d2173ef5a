"""The model that comes along: its size, what it knows, and that what it writes stands."""

from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="the extra `train` is not installed")

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.train.corpus import CorpusSettings
from services.reason.train.frames import LANGUAGES, kinds
from services.reason.train.measure import held_scenes, verdicts, write_all
from services.reason.train.served import NETWORK
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.served import GRAPH, TOKENS, read_grammar

FOLDER = Path(__file__).resolve().parents[4] / "models" / "reason_small" / "1"


def test_what_is_committed_is_small() -> None:
    assert sum((FOLDER / name).stat().st_size for name in (NETWORK, TOKENS)) < 6_000_000


def test_it_has_learnt_the_kinds_of_evidence_that_there_are_wordings_for() -> None:
    known = set(read_grammar(FOLDER, DEFAULT_BANNED_WORDS).lexis.ids)
    worded = {f"{language}/{kind}" for language in LANGUAGES for kind in kinds()}
    assert known == worded


@pytest.mark.skipif(not (FOLDER / GRAPH).is_file(), reason="`make models` has made no graph yet")
def test_its_reasons_stand_on_products_that_it_never_saw(tmp_path: Path) -> None:
    grammar = read_grammar(FOLDER, DEFAULT_BANNED_WORDS)
    held = held_scenes(CorpusSettings(catalogues={"bundled": 1.0}), tmp_path, "test", 100)
    written = write_all(held, grammar, OnnxEngine(FOLDER / GRAPH, 1), SamplingSettings())
    found = verdicts(written)
    # An export that went wrong would write next to none.
    assert found["served"] >= 0.9, found
    assert not [cause for cause in found["causes"] if "number" in cause or "banned" in cause]
    assert len({one.reason.text for one in written if one.reason is not None}) > 90
