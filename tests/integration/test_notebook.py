"""The notebook of the documentation runs against the suite, and is committed as it ran."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from shared.suite import Suite

pytestmark = pytest.mark.suite

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "walk.ipynb"
PLOTS = 4
LARGEST_BYTES = 200_000


def test_notebook_runs(suite: Suite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WHEREFORE_TARGET", suite.target("orchestrator"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    plots = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(plots) == PLOTS
    told = "".join(output.get("text", "") for output in outputs)
    assert re.search(r"filter .*price <=? ?300", told)
    assert re.search(r"^ {6}\w+: \S+ = '", told, re.MULTILINE), "no reason with its evidence"
    shares = re.search(r"([\d.]+) of the page before, ([\d.]+) after", told)
    assert shares is not None
    assert float(shares[2]) > float(shares[1])


def test_notebook_is_shown_with_its_plots_and_stays_small() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == PLOTS
    assert not [output for output in outputs if output.output_type == "error"]
    assert NOTEBOOK.stat().st_size < LARGEST_BYTES
