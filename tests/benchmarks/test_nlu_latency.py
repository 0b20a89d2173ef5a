import json

import pytest

from benchmarks import nlu_latency
from benchmarks.load.by_stage import Load
from benchmarks.model_variants import FULL, SERVED, UNBATCHED, VARIANTS, alter
from benchmarks.nlu_latency import Measured

CONFIG = """
name: "query_en"
max_batch_size: 64
input [ { name: "input_ids" data_type: TYPE_INT32 dims: [ -1 ] } ]
dynamic_batching { max_queue_delay_microseconds: 0 priority_levels: 2 }
"""


def test_without_batching_each_request_is_a_pass():
    altered = json.loads(alter(CONFIG, UNBATCHED))
    assert altered["max_batch_size"] == 1
    assert "dynamic_batching" not in altered
    assert altered["input"][0]["name"] == "input_ids"


def test_other_variants_are_configured_as_the_repository_says():
    assert alter(CONFIG, SERVED) == alter(CONFIG, FULL)
    altered = json.loads(alter(CONFIG, SERVED))
    assert altered["max_batch_size"] == 64
    assert altered["dynamic_batching"]["priority_levels"] == "2"


def load(clients, milliseconds, count=100):
    """Every request took so long."""
    return Load(clients, milliseconds * count / clients / 1e3, [milliseconds] * count)


def measured(variant, single, many):
    cpu = {"triton": 2.0, "nlu": 1.5, "clients": 0.5}
    return Measured("en", variant, load(1, single), load(16, many), cpu)


PASSES = {
    ("en", SERVED.graph): {1: 2.0, 8: 1.2, 16: 1.0},
    ("en", FULL.graph): {1: 5.0, 8: 3.0, 16: 2.0},
}


@pytest.fixture
def runs():
    return [measured(SERVED, 6, 40), measured(UNBATCHED, 6, 80), measured(FULL, 9, 90)]


def test_the_gain_of_batching_is_told_with_its_bound(runs):
    said = " ".join(nlu_latency.ratios(runs, PASSES))
    assert "answers 2.00 times as many" in said
    assert "int8 is 2.50 times as fast as fp32 at batch 1 and 2.00 times at batch 16" in said
    assert "makes the pass alone 2.00 times as fast" in said
    assert "of the 4.0 ms of processor time that a query takes, 2.0 ms are not Triton's" in said


def test_a_kept_promise_needs_no_reason(runs):
    runs[1] = measured(UNBATCHED, 6, 160)
    said = " ".join(nlu_latency.ratios(runs, PASSES))
    assert "answers 4.00 times" in said
    assert "beyond" not in said


def test_the_section_has_every_variant_and_figure(runs):
    runs[0].single.errors["UNAVAILABLE"] = 3
    body = nlu_latency.section(runs, PASSES)
    for variant in VARIANTS:
        assert body.count(f"| en: {variant.name} |") == 2
    assert "| en: int8, dynamic batching | 100 | 6.0 | 6.0 | 6.0 | 400 | 40.0 | 40.0 | 3 |" in body
    assert "| en: fp32 | 5.00 | 3.00 | 2.00 | 2.50 |" in body
    # 4 ms of processor time at 400 answers a second keep 1.6 cores busy.
    assert "| en: int8, dynamic batching | 0.50 | 1.50 | 2.00 | 1.60 |" in body
