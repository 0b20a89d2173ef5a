"""Compositions in a space that is known: what an edit takes out and puts in."""

import numpy as np
import pytest

from services.nlu.pictures.editing import PictureEditor, pooled, weighted
from tests.services.nlu.pictures.files import ColourEncoder


async def test_an_edit_moves_along_its_family_alone():
    encoder = ColourEncoder()
    picture = np.array([0.2, -0.5, 0.7, 0.3, 0.4, 0.3, 0, 0], dtype=np.float32)
    picture /= np.linalg.norm(picture)
    edited = await PictureEditor(encoder).edit(picture, "like this but red", 1.0)
    assert np.linalg.norm(edited) == pytest.approx(1, abs=1e-5)
    # What no colour word reaches stays as it was.
    assert edited[4] / edited[5] == pytest.approx(0.4 / 0.3)
    red = (await encoder.encode_texts(["red"])).vectors[0]
    blue = (await encoder.encode_texts(["blue"])).vectors[0]
    assert edited @ red > edited @ blue
    assert picture @ blue > picture @ red


async def test_other_words_for_a_colour_mean_the_same():
    editor = PictureEditor(ColourEncoder())
    picture = np.eye(8, dtype=np.float32)[4]
    grey, gray = [await editor.edit(picture, word, 1.0) for word in ("Grey", "gray")]
    assert grey == pytest.approx(gray)


async def test_a_text_without_such_a_word_is_added():
    encoder = ColourEncoder()
    picture = np.eye(8, dtype=np.float32)[4]
    edited = await PictureEditor(encoder).edit(picture, "with pockets", 1.0)
    said = (await encoder.encode_texts(["with pockets"])).vectors[0]
    assert edited == pytest.approx(weighted([(picture, 1.0), (said, 1.0)]))


def test_sums_have_unit_length_and_opposites_leave_the_first():
    first, second = np.eye(2, dtype=np.float32)
    assert weighted([(first, 3.0), (second, 4.0)]) == pytest.approx([0.6, 0.8])
    assert weighted([(first, 1.0), (-first, 1.0)]) == pytest.approx(first)
    assert pooled(np.stack([first, second])) == pytest.approx([0.7071, 0.7071], abs=1e-4)
