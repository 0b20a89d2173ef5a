import pytest

from services.reason.tags.builder import default_vocabulary
from services.reason.tags.vocabulary import Term, Vocabulary
from services.reason.tags.vocabulary_file import (
    VocabularyError,
    format_vocabulary,
    read_vocabulary,
    write_vocabulary,
)


def test_what_is_written_is_read_again(tmp_path, vocabulary):
    odd = Vocabulary(
        (
            *vocabulary.terms,
            Term("a key", 'with "quotes" \\ and = 号', ("x y",), (("A/B", "C"),)),
            Term("a key", "del \x7f", (), (("D",),)),
        ),
        vocabulary.praise,
    )
    path = tmp_path / "tags.toml"
    write_vocabulary(path, odd)
    found = read_vocabulary(path)
    assert found.terms == odd.terms
    assert found.praise == odd.praise
    assert len(found.version) == 12


def test_the_lexicons_make_a_vocabulary_that_can_be_written(tmp_path):
    path = tmp_path / "tags.toml"
    write_vocabulary(path, default_vocabulary())
    assert read_vocabulary(path).terms == default_vocabulary().terms
    assert {term.key for term in default_vocabulary().terms} == {
        "colour", "material", "audience", "occasion", "selling_point",
    }  # fmt: skip


def test_a_key_s_categories_hold_for_its_values(tmp_path):
    path = tmp_path / "tags.toml"
    path.write_text(
        '[fit]\ncategories = [["Clothes"]]\n[fit.values]\n"slim" = ["slim"]\n'
        '"wide" = { forms = ["wide"], categories = [["Shoes"]] }\n'
    )
    slim, wide = read_vocabulary(path).terms
    assert (slim.categories, wide.categories) == ((("Clothes",),), (("Shoes",),))
    assert slim.applies(["Clothes", "Shirts"])
    assert not wide.applies(["Clothes"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[colour\n", "tags.toml"),
        ("colour = 3\n", "colour: must be a table"),
        ("[colour]\nvalue = 3\n", "colour: knows no value"),
        ('[colour.values]\n"black" = "black"\n', 'colour.values."black": must be a list'),
        ('[colour.values]\n"black" = [3]\n', "must be a list of texts"),
        ('[colour.values]\n"black" = [" "]\n', "a form has 1 to 200 characters"),
        ('[colour.values]\n" " = ["x"]\n', "must not be blank"),
        ('[colour]\ncategories = ["Shoes"]\n', "colour.categories: must be a list of texts"),
        ("[colour]\ncategories = [[]]\n", "at least one level"),
        ('[praise.smell]\nen = "a"\nzh = "b"\n', "praise.smell: no aspect"),
        ('[praise.comfort]\nen = "a"\n', "needs the labels en and zh"),
        ('[colour.values]\n"black" = { forms = ["a"], colour = 1 }\n', "knows no colour"),
    ],
)
def test_a_bad_file_says_where(tmp_path, text, said):
    path = tmp_path / "tags.toml"
    path.write_text(text)
    with pytest.raises(VocabularyError, match=r"tags\.toml") as caught:
        read_vocabulary(path)
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(VocabularyError, match="No such file"):
        read_vocabulary(tmp_path / "none.toml")


def test_the_file_is_for_people(vocabulary):
    text = format_vocabulary(vocabulary)
    assert '"black" = ["black", "黑色"]' in text
    assert text.startswith("# Vocabulary of tags.")
