"""The site of the documentation: hooks of MkDocs (mkdocs.yml).

Pages that lie outside of docs/ join it, the contracts get a page for each package of protos/, and
links that lead out of docs/ lead to these pages or to the repository.
"""

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools import contract_pages

ROOT = Path(__file__).resolve().parents[1]

PAGES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "index.md",
        "CHANGELOG.md": "changelog.md",
        "CONTRIBUTING.md": "contributing.md",
        "benchmarks/RESULTS.md": "results.md",
        "models/README.md": "models.md",
        "services/ranking/weights.md": "weights.md",
        "protos": "contracts/index.md",
    }
)
"""What is shown from elsewhere in the repository: its path -> its page."""

# Blocks and spans of code are matched, too, and left alone: marks in them are no links.
_LINK = re.compile(
    r"^```.*?^```|`[^`\n]*`|(?P<label>!?\[(?:[^\]\[]|\[[^\]]*\])*\]\()(?P<target>[^)\s]+)\)",
    re.MULTILINE | re.DOTALL,
)
_NOTEBOOK_LINK = re.compile(r'href="\.\./(\w+)\.md"')
_IMAGES = (".png", ".svg")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages from elsewhere, with their pictures, and those of the contracts."""
    for source, page in PAGES.items():
        if not (ROOT / source).is_file():
            continue
        text = (ROOT / source).read_text("utf-8")
        files.append(File.generated(config, page, content=relinked(text, source, page, config)))
        for found in _LINK.finditer(text):
            picture = _within(source, found["target"] or "")
            wanted = picture.endswith(_IMAGES) and not picture.startswith(("docs/", "http"))
            if wanted and files.get_file_from_path(picture) is None:
                there = str(ROOT / picture)
                files.append(File.generated(config, picture, abs_src_path=there))
    for page, text in contract_pages.pages().items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Has links of docs/ that lead out of it lead to a page or to the repository."""
    if page.file.generated_by is not None:
        return markdown
    uri = page.file.src_uri
    return relinked(markdown, f"docs/{uri}", uri, config)


def on_page_content(html: str, *, page: Page, **_: Any) -> str:
    """Has links of a notebook, which MkDocs does not read, lead to the pages of the site."""
    if not page.file.src_uri.endswith(".ipynb"):
        return html
    return _NOTEBOOK_LINK.sub(r'href="../../\1/"', html)


def relinked(text: str, source: str, page: str, config: MkDocsConfig) -> str:
    """Returns a page's text with links for the site.

    Args:
        text: Markdown, whose links are those of the repository.
        source: Where it lies, from the root of the repository.
        page: Where it is shown.
        config: Of the site, which names the repository.
    """

    def link(found: re.Match[str]) -> str:
        if found["target"] is None:
            return found[0]
        return f"{found['label']}{_target(found['target'], source, page, config)})"

    return _LINK.sub(link, text)


def _within(source: str, target: str) -> str:
    """A link's path from the root of the repository; addresses as they are."""
    if target.startswith(("http:", "https:", "mailto:", "#")):
        return target
    path = target.partition("#")[0]
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), path))


def _target(target: str, source: str, page: str, config: MkDocsConfig) -> str:
    path = _within(source, target)
    if path == target and not (ROOT / path).exists():
        return target
    anchor = target[target.index("#") :] if "#" in target else ""
    shown = PAGES.get(path)
    if path.startswith("docs/"):
        shown = path.removeprefix("docs/")
    elif path.startswith("protos/"):
        shown = contract_pages.page_of(path) or shown
    elif path.endswith(_IMAGES):
        shown = path
    if shown is None:
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"{config.repo_url}/{kind}/main/{path}{anchor}"
    return posixpath.relpath(shown, posixpath.dirname(page) or ".") + anchor
