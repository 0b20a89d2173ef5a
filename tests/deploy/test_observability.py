"""Dashboards, rules and the table of metrics name what the services export, and no more."""

import importlib
import pkgutil
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

import services
import shared
from shared.suite.ports import ALL, PortPlan
from tests.deploy.promql import PROMETHEUS, aggregations, expressions, kept, recorded, selectors
from tools import dashboards

ROOT = Path(__file__).resolve().parents[2]
OF_TRITON = {"model", "version"}
TYPED = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}


def _own() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Name as it is scraped -> kind, labels, help; of every module that makes metrics."""
    for package in (shared, services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            source = Path(module.module_finder.path) / f"{module.name.rsplit('.', 1)[-1]}.py"
            if source.is_file() and "from prometheus_client import" in source.read_text("utf-8"):
                importlib.import_module(module.name)
    found = {}
    for collector in set(REGISTRY._collector_to_names):
        name = getattr(collector, "_name", "")
        if name.startswith("wherefore_"):
            kind = collector._type
            scraped = f"{name}_total" if kind == "counter" else name
            found[scraped] = kind, tuple(collector._labelnames), collector._documentation
    return found


@pytest.fixture(scope="module")
def known() -> dict[str, set[str]]:
    """Every series that may be asked for, with its labels."""
    labels = {
        series: set(names)
        for name, (kind, names, _) in _own().items()
        for series in ([f"{name}{s}" for s in TYPED[kind]] if kind == "histogram" else [name])
    }
    plain = {series: set() for series in ("up", "process_resident_memory_bytes")}
    return labels | plain | recorded()


@pytest.mark.parametrize(
    ("where", "expr"), [pytest.param(*each, id=each[0]) for each in expressions()]
)
def test_what_is_asked_for_exists(where, expr, known):
    parsed = promql_parser.parse(expr)
    asked = list(selectors(parsed))
    assert asked, where
    for selector in asked:
        labels = known.get(selector.name)
        if selector.name.startswith("nv_"):  # Triton's: looked up where one runs
            labels = OF_TRITON
        assert labels is not None, f"{where}: nobody exports {selector.name}"
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels | {"job", "instance", "le"}, (where, matcher.name)
    of_triton = {s.name: OF_TRITON for s in asked if s.name.startswith("nv_")}
    for aggregation in aggregations(parsed):
        wanted = set(aggregation.modifier.labels) if aggregation.modifier else set()
        assert wanted <= kept(aggregation.expr, known | of_triton), where


def test_an_unknown_label_would_be_found(known):
    wrong = promql_parser.parse("sum by (methd) (rate(wherefore_requests_total[5m]))")
    (aggregation,) = aggregations(wrong)
    assert not set(aggregation.modifier.labels) <= kept(aggregation.expr, known)


@pytest.mark.parametrize("name", dashboards.DASHBOARDS)
def test_dashboards_are_up_to_date(name):
    written = (dashboards.FOLDER / f"{name}.json").read_text("utf-8")
    assert written == dashboards.text(name), "run `python tools/dashboards.py`"


def test_every_service_is_scraped_at_its_port():
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    scraped = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    fields = PortPlan.model_fields
    assert scraped == {
        name: [f"127.0.0.1:{fields[f'{name}_metrics'].default}"] for name in (*ALL, "triton")
    }


@pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (apt: prometheus)"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "rules.yml", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees(arguments):
    done = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_table_is_the_registry():
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    rows = re.findall(r"^\| `(wherefore_\w+)` \| (\w+) \| ([^|]*) \|", page, re.MULTILINE)
    told = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert told == {name: (kind, labels) for name, (kind, labels, _) in _own().items()}
