"""Pictures in the form that encoders read."""

import numpy as np

from services.nlu.pictures.preparation import Preparation

RED = np.full((100, 50, 3), (200, 0, 0), dtype=np.uint8)


def test_padding_keeps_the_whole_picture_on_white():
    made = Preparation(width=40, height=40).fitted(RED)
    assert made.shape == (40, 40, 3)
    assert made[20, 20].tolist() == [200, 0, 0]
    assert made[20, 2].tolist() == [255, 255, 255]
    assert ((made == (200, 0, 0)).all(axis=2)).sum() == 20 * 40


def test_cropping_leaves_nothing_free():
    made = Preparation(width=40, height=40, fit="crop").fitted(RED)
    assert (made == (200, 0, 0)).all()


def test_rows_are_channel_by_channel_and_scaled():
    preparation = Preparation(width=10, height=20)
    rows = preparation.rows([RED, np.full((20, 10, 3), 255, dtype=np.uint8)])
    assert rows.shape == (2, preparation.numbers) == (2, 600)
    red, green = rows[0, :200], rows[0, 200:400]
    assert np.allclose(red, 200 / 127.5 - 1, atol=1e-2)
    assert np.allclose(green, -1)
    assert np.allclose(rows[1], 1)
