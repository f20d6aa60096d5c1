import numpy as np
import pytest

from noisyseg.evaluation.edges import EdgeProtocol


@pytest.mark.parametrize(
    ("name", "tolerance", "border", "scale"),
    [("bsds", 0.0075, 0, 1), ("sbd", 0.02, 5, 1), ("sbd_reannotated", 0.0075, 5, 1), ("cityscapes", 0.0035, 0, 0.5)],
)
def test_published_protocols_have_names(name, tolerance, border, scale):
    protocol = EdgeProtocol.of(name)
    assert (protocol.tolerance, protocol.border, protocol.scale) == (tolerance, border, scale)
    assert (protocol.mode, protocol.thresholds, protocol.ois, protocol.ap) == ("thin", 99, "all", "sbd")


def test_the_description_names_what_a_number_depends_on():
    told = EdgeProtocol.of("sbd_reannotated", mode="raw", nms=True, ois="positives").describe()
    for word in (
        "mode raw",
        "tolerance 0.0075",
        "labels SBD re-annotated",
        "with NMS",
        "border 5 px",
        "OIS of positives",
    ):
        assert word in told


def test_a_value_that_is_the_threshold_reaches_it():
    levels = EdgeProtocol.of("bsds").levels()
    assert levels[[19, 39, 59, 79]].tolist() == [51, 102, 153, 204]
    # 0.5 * 255 is no integer: 128 / 255 is the first value that reaches it.
    assert levels[49] == 128
    # The official program's second threshold of five is one bit above 1/3 = 85/255.
    assert EdgeProtocol.of("bsds", thresholds=5).levels().tolist() == [43, 86, 128, 170, 213]
    assert EdgeProtocol.of("bsds", thresholds=1).threshold_values().tolist() == [0.5]
    assert (np.diff(levels) > 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tolerance": 0}, "tolerance: expected a share"),
        ({"tolerance": float("nan")}, "tolerance: expected a share"),
        ({"scale": 2}, "scale: expected a factor"),
        ({"tolerance": ".0075"}, "tolerance: expected a share .*, got '.0075'"),
        ({"scale": None}, "scale: expected a factor .*, got None"),
        ({"scale": True}, "scale: expected a factor .*, got True"),
        ({"nms": "False"}, "nms: expected True or False, got 'False'"),
        ({"resize": 1}, "resize: expected True or False, got 1"),
        ({"border": -1}, "border: expected an integer >= 0, got -1"),
        ({"thresholds": 0}, "thresholds: expected an integer >= 1, got 0"),
        ({"thresholds": 9.5}, "thresholds: expected an integer >= 1, got 9.5"),
        ({"mode": "thick"}, "mode: expected one of thin, raw, got 'thick'"),
        ({"ois": "some"}, "ois: expected one of all, positives"),
        ({"ap": "voc"}, "ap: expected one of sbd, envelope"),
        ({"absent": "skip"}, "absent: expected one of exclude, zero"),
        ({"labels": ""}, "labels: expected the version"),
        ({"tolerence": 0.1}, "protocol: no setting tolerence"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(ValueError, match=message):
        EdgeProtocol.of("bsds", **settings)


def test_an_unknown_protocol_is_told():
    with pytest.raises(ValueError, match="expected one of bsds, sbd, sbd_reannotated, cityscapes, got 'nyud'"):
        EdgeProtocol.of("nyud")
