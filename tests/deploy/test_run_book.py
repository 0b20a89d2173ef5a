"""Every alert has its entry in the run book, and every drill of its table a test."""

import re
from pathlib import Path

import yaml

from tests.deploy.promql import PROMETHEUS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "run_book.md").read_text("utf-8")
BASE = "https://github.com/wherefore-search/wherefore/blob/main/docs/run_book.md#"


def alerts() -> dict[str, dict]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_every_alert_has_an_entry_and_every_entry_an_alert() -> None:
    assert set(re.findall(r"^### (Wherefore\w+)$", PAGE, re.MULTILINE)) == set(alerts())


def test_every_alert_leads_to_its_entry() -> None:
    # As GitHub and MkDocs make anchors: in lower case.
    wrong = {
        name: rule["annotations"].get("runbook_url")
        for name, rule in alerts().items()
        if rule["annotations"].get("runbook_url") != BASE + name.lower()
    }
    assert not wrong


def test_links_within_the_page_lead_to_headings() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_tests_of_drills_are_there() -> None:
    named = re.findall(r"\| `(tests/[^`]+)` \|", PAGE)
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []
