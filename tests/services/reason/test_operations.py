"""docs/operations.md names settings and metrics of the service as they are."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

import services.reason.server  # noqa: F401  # makes the metrics
from services.reason.config import Settings
from shared.inference import InferenceSettings

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## The model of reasons")[2]


def test_every_setting_exists_with_its_default():
    table = SECTION.partition("###")[0]
    rows = re.findall(r"^\| (`[A-Z_`, ]+) \| (.+?) \|", table, re.MULTILINE)
    told = {
        name: default.strip("` ")
        for names, defaults in rows
        for name, default in zip(re.findall(r"[A-Z_]+", names), defaults.split(", "), strict=True)
    }
    fields = {name.upper(): str(one.default) for name, one in Settings.model_fields.items()}
    for name, one in InferenceSettings.model_fields.items():
        fields[f"INFERENCE__{name.upper()}"] = str(one.default)
    assert len(told) == 12
    for name, default in told.items():
        assert fields[name].removesuffix(".0") == default, name


def test_every_metric_exists():
    known = {
        name for metric in REGISTRY.collect() for name in (metric.name, f"{metric.name}_total")
    }
    told = set(re.findall(r"wherefore_[a-z_]+", SECTION))
    assert len(told) == 7
    assert told <= known
