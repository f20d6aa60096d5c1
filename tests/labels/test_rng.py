import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from noisyseg.labels.rng import ObjectStreams, fork, keyed_rng


def test_known_draws():
    # Frozen: another number here means that every noisy data set made from a seed changes.
    assert keyed_rng(0).integers(2**62) == 3470706327332796582
    assert keyed_rng(0, 17).integers(2**62) == 4086187497423569194
    assert keyed_rng(0, "17").integers(2**62) == 4367911463976867438
    assert keyed_rng(7, "train", 17).integers(2**62) == 2423571889657155277
    streams = ObjectStreams(keyed_rng(0, 17))
    assert streams.of("Scale", 5).integers(2**62) == 1225455803440779375
    assert streams.of("Scale", -5).integers(2**62) == 968098132541041679
    assert streams.of("Localization", 5).normal() == -1.3964923765381339


def test_equal_names_give_equal_draws_and_others_do_not():
    names = [(0,), (1,), (0, 1), (0, "1"), (0, 1, 2), (0, 2, 1), (0, "1", 2), (0, 12), (0, "a", "b"), (0, "ab")]
    draws = [keyed_rng(*name).integers(2**62) for name in names]
    assert draws == [keyed_rng(*name).integers(2**62) for name in names]
    assert len(set(draws)) == len(names)


def test_numpy_integers_are_integers():
    assert keyed_rng(np.int64(3), np.int32(5)).random() == keyed_rng(3, 5).random()


def test_a_fork_is_named_by_both_names_however_far_the_generator_was_used():
    rng = keyed_rng(3, "train")
    used = keyed_rng(3, "train")
    used.random(1000)
    expected = keyed_rng(3, "train", 17, "x").random(5).tolist()
    assert fork(rng, 17, "x").random(5).tolist() == expected
    assert fork(used, 17, "x").random(5).tolist() == expected
    assert fork(fork(rng, 17), "x").random(5).tolist() == expected


def test_an_object_has_its_stream_whatever_was_asked_before():
    alone = ObjectStreams(keyed_rng(0, 1)).of("Scale", 8).normal(size=9).tolist()
    streams = ObjectStreams(keyed_rng(0, 1))
    streams.of("Scale", 7).integers(5, size=3)
    streams.of("Localization", 8).random()
    assert streams.of("Scale", 8).normal(size=9).tolist() == alone
    streams.of("Scale", 8).integers(5)
    assert streams.of("Scale", 8).normal(size=9).tolist() == alone


def test_streams_differ_by_image_operation_object_and_sign():
    draws = [
        ObjectStreams(keyed_rng(seed, image)).of(op, source).integers(2**62)
        for seed in (0, 1)
        for image in (1, 2)
        for op in ("Scale", "OneOf")
        for source in (-(2**40), -1, 0, 1, 2, 2**63 - 1)
    ]
    assert len(set(draws)) == len(draws)


def test_streams_do_not_overlap():
    # Neighbouring objects differ in one counter word; a long draw of one must not run into the next.
    streams = ObjectStreams(keyed_rng(0, 1))
    draws = np.concatenate([streams.of("Localization", source).integers(2**63, size=5000) for source in range(-3, 4)])
    assert len(np.unique(draws)) == draws.size


@pytest.mark.parametrize("first", ["objects", "images", "seeds"])
def test_first_draws_are_uniform_and_independent_of_their_neighbours(first):
    if first == "objects":
        streams = ObjectStreams(keyed_rng(0, 1))
        draws = np.array([streams.of("Scale", source).random() for source in range(1, 20_001)])
    elif first == "images":
        draws = np.array([keyed_rng(0, image).random() for image in range(5000)])
    else:
        draws = np.array([keyed_rng(seed, "train").random() for seed in range(5000)])
    assert stats.kstest(draws, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 4 / np.sqrt(draws.size)


def test_operations_draw_independently_for_the_same_object():
    streams = ObjectStreams(keyed_rng(0, 1))
    pairs = np.array(
        [[streams.of(op, source).random() for op in ("OneOf", "ClassConfusion")] for source in range(20_000)]
    )
    table = np.histogram2d(*pairs.T, bins=5, range=[[0, 1], [0, 1]])[0]
    assert stats.chi2_contingency(table).pvalue > 0.001


@pytest.mark.parametrize("seed", [True, 1.0, "1", None])
def test_a_seed_that_is_no_integer_is_an_error(seed):
    with pytest.raises(TypeError, match="seed: expected an integer, got"):
        keyed_rng(seed)


def test_a_negative_seed_is_an_error():
    with pytest.raises(ValueError, match="seed: expected an integer >= 0, got -1"):
        keyed_rng(-1)


@pytest.mark.parametrize("part", [True, 1.5, None, ("a",)])
def test_a_part_that_is_neither_text_nor_number_is_an_error(part):
    with pytest.raises(TypeError, match="key: expected str or int, got"):
        keyed_rng(0, part)


def test_a_generator_from_elsewhere_is_an_error():
    with pytest.raises(TypeError, match="expected a generator from keyed_rng, got PCG64"):
        ObjectStreams(np.random.default_rng(0))


@given(st.integers(0, 2**63 - 1), st.lists(st.integers(-(2**62), 2**62), max_size=8))
def test_uniform_numbers_are_the_first_of_their_streams(seed, sources):
    streams = ObjectStreams(keyed_rng(seed, "image"), np.array(sources, np.int64))
    for source in (*sources, 7):
        for one in (streams, streams.under("outer")):
            assert one.uniform("op", source) == one.of("op", source).random()
