"""What autoscalers, monitors and rules ask for is what services and Triton export."""

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from shared.metrics import QUEUE
from shared.suite.ports import ALL, SERVICES
from tests.deploy.k8s.pods import quantity
from tests.deploy.k8s.rendering import FOLDER, ROOT, Objects, needs_kubectl, render
from tests.deploy.k8s.workloads import lasting, of_kind
from tests.deploy.promql import aggregations, selectors
from tools import dashboards, prometheus_rules

OF_ADAPTER = FOLDER / "prometheus-adapter" / "values.yaml"
OF_TRITON = {"nv_inference_queue_duration_us", "nv_inference_request_success"}
"""Counters of Triton that deploy/grafana asks for as well."""
_SOAK = re.compile(r"^\| (\w+) \| [\d.]+ \| ([\d.]+) \| [+-]", re.MULTILINE)


@pytest.fixture(scope="module")
def prod() -> Objects:
    return render("overlays/prod")


def adapter() -> list[dict[str, Any]]:
    return yaml.safe_load(OF_ADAPTER.read_text("utf-8"))["rules"]["custom"]


@needs_kubectl
def test_autoscalers_ask_for_what_the_adapter_makes(prod: Objects) -> None:
    asked = {
        metric["pods"]["metric"]["name"]
        for each in of_kind(prod, "HorizontalPodAutoscaler")
        for metric in each["spec"]["metrics"]
        if metric["type"] == "Pods"
    }
    assert asked == {rule["name"]["as"] for rule in adapter()}


@needs_kubectl
def test_each_is_scaled_by_its_queue_and_its_processors(prod: Objects) -> None:
    scaled = {
        each["spec"]["scaleTargetRef"]["name"]: {m["type"] for m in each["spec"]["metrics"]}
        for each in of_kind(prod, "HorizontalPodAutoscaler")
    }
    assert scaled == {name: {"Pods", "Resource"} for name in (*SERVICES, "triton")}


def test_the_adapter_reads_series_that_are_there() -> None:
    exported = {f"{QUEUE._name}_{part}" for part in ("sum", "count")} | OF_TRITON
    told = (dashboards.FOLDER / "triton.json").read_text("utf-8")
    assert all(name in told for name in OF_TRITON)
    for rule in adapter():
        seen = promql_parser.parse(rule["seriesQuery"])
        assert {each.name for each in selectors(seen)} <= exported
        query = rule["metricsQuery"].replace("<<.LabelMatchers>>", 'namespace="a",pod=~"b|c"')
        parsed = promql_parser.parse(query.replace("<<.GroupBy>>", "pod"))
        assert {each.name for each in selectors(parsed)} <= exported
        assert all(each.modifier.labels == ["pod"] for each in aggregations(parsed))
        assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}


@needs_kubectl
def test_everything_with_metrics_is_scraped_as_the_job_of_its_name(prod: Objects) -> None:
    services = {each["metadata"]["name"]: each for each in of_kind(prod, "Service")}
    watched = set()
    for monitor in of_kind(prod, "ServiceMonitor"):
        spec = monitor["spec"]
        (label,) = spec["selector"]["matchLabels"].items()
        chosen = [s for s in services.values() if label in s["metadata"]["labels"].items()]
        assert chosen
        for service in chosen:
            assert service["metadata"]["labels"][spec["jobLabel"]] == monitor["metadata"]["name"]
            ports = {port["name"] for port in service["spec"]["ports"]}
            assert {each["port"] for each in spec["endpoints"]} <= ports
        watched.add(monitor["metadata"]["name"])
    assert watched == {*ALL, "triton"}


def test_rules_for_the_operator_are_up_to_date() -> None:
    written = prometheus_rules.TARGET.read_text("utf-8")
    assert written == prometheus_rules.text(), "run `python tools/prometheus_rules.py`"


@needs_kubectl
def test_dashboards_come_along(prod: Objects) -> None:
    (found,) = (o for o in prod if o["metadata"].get("labels", {}).get("grafana_dashboard"))
    names = {Path(name).stem for name in found["data"]}
    assert names == set(dashboards.DASHBOARDS)


@needs_kubectl
def test_memory_is_what_was_measured_and_some_more(prod: Objects) -> None:
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8")
    soak = results.partition("<!-- begin load_soak -->")[2].partition("<!-- end")[0]
    measured = {name: float(mib) * 2**20 for name, mib in _SOAK.findall(soak)}
    assert {*SERVICES, "triton"} <= set(measured)
    for workload in lasting(prod):
        if workload.name in measured:
            resources = workload.main["resources"]
            assert quantity(resources["requests"]["memory"]) > measured[workload.name]
            assert quantity(resources["limits"]["memory"]) > 2 * measured[workload.name]
