"""Every model that is served has a card that says where it is from and what it cannot do."""

from pathlib import Path

import pytest

from shared.inference.settings import REPOSITORY

MODELS = sorted(path.parent for path in REPOSITORY.glob("*/config.pbtxt"))
WEIGHTS = REPOSITORY.parent / "services" / "ranking" / "weights.md"


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_a_model_has_a_card(folder: Path) -> None:
    card = (folder / "README.md").read_text("utf-8")
    assert card.startswith(f"# {folder.name}")
    linked = [other for other in MODELS if f"../{other.name}/README.md" in card]
    whole = card + "".join((other / "README.md").read_text("utf-8") for other in linked)
    assert "**Limits" in whole
    assert "Measured" in whole or "**Figures" in whole


def test_every_model_is_in_the_table() -> None:
    table = (REPOSITORY / "README.md").read_text("utf-8")
    assert all(f"`{folder.name}`" in table for folder in MODELS)


def test_the_weights_have_a_card_with_a_plot_that_is_there() -> None:
    card = WEIGHTS.read_text("utf-8")
    assert "**Limits" in card
    plot = card.split("](")[-1].split(")")[0]
    assert (WEIGHTS.parent / plot).read_text("utf-8").count("<svg") == 1
