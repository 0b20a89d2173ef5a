"""The site of the documentation is built without a warning, and shows what it should."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mkdocs.config import load_config

from tools import contract_pages, docs_site

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / page.stem / "index.html").is_file(), page.name
    for page in docs_site.PAGES.values():
        name = page.removesuffix(".md").removesuffix("index")
        assert (site / name / "index.html").is_file(), page
    assert (site / "notebooks" / "walk" / "index.html").is_file()


def test_diagrams_are_drawn(site: Path) -> None:
    assert 'class="mermaid"' in (site / "architecture" / "index.html").read_text("utf-8")


def test_contracts_are_told_by_their_comments(site: Path) -> None:
    page = (site / "contracts" / "wherefore.nlu.v1" / "index.html").read_text("utf-8")
    assert "Parses one query. Errors: INVALID_ARGUMENT" in page
    shown = "".join(contract_pages.pages().values())
    for path in (ROOT / "protos").rglob("*.proto"):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith(("message ", "enum ", "service ")):
                assert f"## {line.split()[1]}" in shown


def test_links_of_the_notebook_lead_to_pages(site: Path) -> None:
    folder = site / "notebooks" / "walk"
    links = re.findall(r'href="(\.\./\.\./\w+/)"', (folder / "index.html").read_text("utf-8"))
    assert "../../understanding/" in links
    assert [link for link in links if not (folder / link / "index.html").is_file()] == []
    assert "understanding.md" not in (folder / "index.html").read_text("utf-8")


def test_pictures_from_elsewhere_are_shown(site: Path) -> None:
    assert list((site / "benchmarks" / "plots").glob("*.svg"))


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[a](../benchmarks/RESULTS.md#b)", "[a](results.md#b)"),
        ("[a](search.md#b)", "[a](search.md#b)"),
        ("[`a`](../protos/wherefore/nlu/v1)", "[`a`](contracts/wherefore.nlu.v1.md)"),
        ("[a](../README.md)", "[a](index.md)"),
        ("`[a](../README.md)`", "`[a](../README.md)`"),
        ("```\n[a](../README.md)\n```", "```\n[a](../README.md)\n```"),
        ("[a](https://example.org/x.md)", "[a](https://example.org/x.md)"),
        (
            "[a](../compose.yaml)",
            "[a](https://github.com/wherefore-search/wherefore/blob/main/compose.yaml)",
        ),
        (
            "[a](../deploy)",
            "[a](https://github.com/wherefore-search/wherefore/tree/main/deploy)",
        ),
    ],
)
def test_links_lead_to_pages_or_to_the_repository(link: str, shown: str) -> None:
    config = load_config(str(ROOT / "mkdocs.yml"))
    assert docs_site.relinked(link, "docs/page.md", "page.md", config) == shown


def test_links_of_the_readme_stay_within_the_site() -> None:
    config = load_config(str(ROOT / "mkdocs.yml"))
    text = docs_site.relinked("[a](docs/search.md)", "README.md", "index.md", config)
    assert text == "[a](search.md)"
