import numpy as np
import pytest

from services.recommend.split import leave_one_out


def lists(sequences):
    return [list(map(int, sequence)) for sequence in sequences]


def split_of(*sequences):
    return leave_one_out([np.array(sequence, dtype=np.int32) for sequence in sequences])


def test_the_last_item_tests_and_the_one_before_validates():
    split = split_of([1, 2, 3, 4, 5], [6, 7, 8], [1, 2], [3])
    assert lists(split.training) == [[1, 2, 3], [6], [1, 2], [3]]
    assert lists(split.before_test) == [[1, 2, 3, 4], [6, 7], [1, 2], [3]]
    assert list(split.validation.users) == list(split.test.users) == [0, 1]
    assert lists(split.validation.histories) == [[1, 2, 3], [6]]
    assert list(split.validation.targets) == [4, 7]
    assert lists(split.test.histories) == [[1, 2, 3, 4], [6, 7]]
    assert list(split.test.targets) == [5, 8]
    assert split.test.repeats == split.validation.repeats == 0


def test_an_item_that_came_before_is_not_to_be_found():
    split = split_of([1, 2, 3, 1], [1, 1, 4], [5, 6, 7])
    assert list(split.test.users) == [1, 2]
    assert list(split.validation.users) == [0, 2]
    assert (split.test.repeats, split.validation.repeats) == (1, 1)


def test_short_sequences_alone_cannot_be_measured():
    with pytest.raises(ValueError, match="no sequence can be measured"):
        split_of([1, 2], [3])
