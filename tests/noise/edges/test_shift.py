import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels import Categories, EdgeMap, SemanticMap
from noisyseg.labels.edges import edge_map, edge_radius, label_edges, thinned
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.edges import EdgeShift

SEEDS = range(5)


def mean_distance(edges, to):
    return ndimage.distance_transform_edt(~to)[edges].mean()


@pytest.mark.parametrize("rms", [2, 4, 8])
def test_the_root_mean_square_displacement_is_the_one_asked_for(bare_frame, rms):
    model = EdgeShift(rms, max_shift=1e6)
    for seed in SEEDS:
        field = model.displacement(bare_frame, model.sample(bare_frame, keyed_rng(seed)))
        assert np.sqrt((field**2).sum(axis=0).mean()) == pytest.approx(rms, rel=1e-9)


def test_long_displacements_are_cut(bare_frame):
    free, cut = EdgeShift(8, max_shift=1e6), EdgeShift(8)
    params = free.sample(bare_frame, keyed_rng(0))
    before, after = free.displacement(bare_frame, params), cut.displacement(bare_frame, params)
    lengths = np.hypot(*before)
    assert lengths.max() > 15
    assert np.hypot(*after).max() == pytest.approx(15)
    np.testing.assert_allclose(after[:, lengths <= 15], before[:, lengths <= 15])
    np.testing.assert_allclose(np.hypot(*after), np.minimum(lengths, 15))


@pytest.fixture
def bare_frame():
    return EdgeMap(np.ones((1, 200, 260), bool), Categories.from_names("e"))


@pytest.mark.parametrize("annotated", [True, False])
@pytest.mark.parametrize("rms", [2, 4, 8])
@pytest.mark.parametrize("radius", [0, 2])
def test_the_number_of_edge_pixels_hardly_changes(blobs, rms, radius, annotated):
    labels = edge_map(blobs, radius)
    labels = labels if annotated else labels.replace(regions=None)
    for seed in SEEDS:
        noisy = EdgeShift(rms)(labels, keyed_rng(seed))
        assert 0.8 <= noisy.edges.sum() / labels.edges.sum() <= 1.25
        assert edge_radius(noisy.edges.any(axis=0)) == radius


@pytest.mark.parametrize("rms", [2, 8])
def test_on_real_edges_the_number_hardly_changes_either(bsds_labels, rms):
    for labels in bsds_labels:
        for given in (labels, labels.replace(regions=None)):
            noisy = EdgeShift(rms)(given, keyed_rng(0))
            assert 0.8 <= noisy.edges.sum() / labels.edges.sum() <= 1.25
            assert 0.3 * rms < mean_distance(noisy.edges[0], labels.edges[0]) < rms


def test_more_is_farther(blobs):
    labels = edge_map(blobs)
    clean = labels.edges.any(axis=0)
    far = [
        np.mean([mean_distance(EdgeShift(rms)(labels, keyed_rng(seed)).edges.any(axis=0), clean) for seed in SEEDS])
        for rms in (1, 2, 4, 8)
    ]
    assert far == sorted(far)
    assert far[-1] > 4 * far[0]


def test_edges_stay_the_borders_of_the_moved_regions(blobs):
    labels = edge_map(blobs, 2)
    noisy = EdgeShift(4)(labels, keyed_rng(0))
    np.testing.assert_array_equal(noisy.edges.any(axis=0), label_edges(noisy.regions, 2))
    agree = (noisy.edges == edge_map(SemanticMap(noisy.regions.astype(np.uint8), blobs.categories), 2).edges).mean()
    assert agree > 0.995


@pytest.mark.parametrize("known", [True, False])
def test_a_closed_edge_stays_closed(disc, known):
    labels = disc(50)
    labels = labels if known else labels.replace(regions=None)
    for seed in SEEDS:
        edges = EdgeShift(4)(labels, keyed_rng(seed)).edges[0]
        np.testing.assert_array_equal(thinned(edges), edges)
        rooms, count = ndimage.label(~edges)
        assert count == 2
        assert rooms[80, 80] != rooms[0, 0]
        assert ndimage.label(edges, np.ones((3, 3)))[1] == 1


def test_known_and_bare_edges_move_by_about_the_same(disc):
    labels = disc(50)
    known = EdgeShift(3)(labels, keyed_rng(3)).edges[0]
    bare = EdgeShift(3)(labels.replace(regions=None), keyed_rng(3)).edges[0]
    assert mean_distance(known, bare) < 1
    assert mean_distance(known, labels.edges[0]) > 1


def test_open_lines_move_with_their_neighbourhood():
    edges = np.zeros((1, 120, 120), bool)
    edges[0, 60, 20:100] = True
    labels = EdgeMap(edges, Categories.from_names("e"))
    model = EdgeShift(3)
    noisy, params = model.run(labels, keyed_rng(1))
    field = model.displacement(labels, params)
    rows, columns = np.nonzero(noisy.edges[0])
    expected = np.interp(columns, np.arange(20, 100) + field[0, 60, 20:100], 60 + field[1, 60, 20:100])
    assert np.abs(rows - expected).max() <= 1
    assert ndimage.label(noisy.edges[0], np.ones((3, 3)))[1] == 1


def test_all_channels_move_by_the_same_field(blobs):
    labels = edge_map(blobs)
    twice = EdgeMap(np.stack([labels.edges[1]] * 2), Categories.from_names("ab"))
    noisy = EdgeShift(5)(twice, keyed_rng(0)).edges
    assert (noisy[0] != labels.edges[1]).any()
    np.testing.assert_array_equal(noisy[0], noisy[1])


def test_regions_without_an_edge_between_them_get_none(blobs):
    labels = edge_map(blobs)
    labels = labels.replace(edges=labels.edges * np.array([1, 0, 0], bool)[:, None, None])
    noisy = EdgeShift(3)(labels, keyed_rng(0))
    between_b_and_c = label_edges((noisy.regions == 2).astype(int)) & ~label_edges((noisy.regions == 0).astype(int), 8)
    assert between_b_and_c.sum() > 100
    assert (noisy.edges[0] & between_b_and_c).sum() < 0.05 * between_b_and_c.sum()
    assert noisy.edges[0].sum() == pytest.approx(labels.edges[0].sum(), rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rms": -1}, r"rms: expected a length in \[0, max_shift = 15\], got -1"),
        ({"rms": 16}, r"rms: expected a length in \[0, max_shift = 15\], got 16"),
        ({"rms": float("nan")}, "rms: expected a length in"),
        ({"rms": 1, "length": 0.5}, r"length: expected a length >= 1, got 0\.5"),
        ({"rms": 1, "max_shift": 0}, "max_shift: expected a length > 0, got 0"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EdgeShift(**arguments)
