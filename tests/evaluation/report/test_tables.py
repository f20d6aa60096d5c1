import numpy as np
import pytest

from noisyseg.evaluation.report.tables import IMAGE, PAIR, SINGLE, Tables, joined_tables


def table(ops, *bits):
    pairs = np.zeros(len(bits), PAIR)
    pairs["ops"] = bits
    return Tables(pairs, np.zeros(0, SINGLE), np.zeros(0, SINGLE), np.zeros(1, IMAGE), ops)


def test_bits_get_the_numbers_of_sorted_names():
    joined = joined_tables([table(["b", "c"], 0b01, 0b11), table(["a", "b"], 0b01, 0b10), table([])])
    assert joined.ops == ["a", "b", "c"]
    assert joined.pairs["ops"].tolist() == [0b010, 0b110, 0b001, 0b010]
    assert len(joined.images) == 3


def test_no_tables_are_an_empty_one():
    joined = joined_tables([])
    assert (len(joined.pairs), len(joined.missing), joined.ops) == (0, 0, [])


def test_there_are_not_more_operations_than_bits():
    many = table([f"op{k:02}" for k in range(40)])
    others = table([f"other{k:02}" for k in range(40)])
    with pytest.raises(ValueError, match="at most 64 kinds of operations"):
        joined_tables([many, others])
