"""What a wrong recipe is answered with."""

from pathlib import Path

import pytest

from services.nlu.train.run import RecipeError, run_recipe


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("kind = 'cooking'", "kind is 'cooking'"),
        ("kind = 'multitask'\nencoder = 'x'\n[tasks.entities_zh]\nrepeat = 0", "repeat"),
        ("kind = ", "Invalid value"),
        ("kind = 'multitask'\nencoder = 'x'\n[tasks.cooking]", "no task 'cooking'"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(tmp_path, text, complaint):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=complaint):
        run_recipe(path, data=tmp_path, out=tmp_path)


def test_an_unknown_recipe_names_those_that_there_are(tmp_path):
    with pytest.raises(RecipeError, match="query_zh"):
        run_recipe(Path("query_xx"), data=tmp_path, out=tmp_path)
