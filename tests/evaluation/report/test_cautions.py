from noisyseg.evaluation.report.cautions import instance_cautions, recipe_cautions

HASHES = {"clean": "a" * 64, "noisy": "b" * 64}


def codes(found):
    return [warning["code"] for warning in found]


def test_a_sound_manifest_has_no_warnings():
    manifest = {"recipe": {"type": "Scale", "size": 3}, "clean": {"sha256": "a" * 64}, "noisy": {"sha256": "b" * 64}}
    assert recipe_cautions(manifest, HASHES) == recipe_cautions(None, HASHES) == []


def test_what_is_wrong_with_a_manifest_is_said():
    recipe = {"type": "OneOf", "probs": [0.8, 0.8], "noises": [{"type": "Scale", "size": 4}] * 2}
    manifest = {"recipe": recipe, "clean": {"sha256": "c" * 64}, "warnings": ["ids were shifted"]}
    found = recipe_cautions(manifest, HASHES)
    assert codes(found) == ["even_kernel", "probs_above_1", "other_file", "generator"]
    assert "[4]" in found[0]["message"]
    assert "the clean file is not the one in the manifest" in found[2]["message"]


def report(**changes):
    boxes = {"stale": 0, "degenerate": 0, "consistency": {"noisy": {"mean": 0.99}}}
    counts = {"empty_masks": 0, "images_emptied": 0, "crowds_changed": 0}
    for key, value in changes.items():
        (boxes if key in boxes else counts)[key] = value
    return {"boxes": boxes, "counts": counts, "rates": []}


def test_numbers_speak_for_themselves():
    assert instance_cautions(report()) == []
    assert codes(instance_cautions(report(stale=3, consistency={"noisy": {"mean": 0.5}}))) == ["stale_boxes"]
    assert codes(instance_cautions(report(consistency={"noisy": {"mean": 0.5}}))) == ["boxes_off_masks"]
    assert instance_cautions(report(consistency={"noisy": {"mean": None}})) == []
    assert codes(instance_cautions(report(degenerate=1, images_emptied=2))) == ["degenerate_boxes", "images_emptied"]


def test_a_rate_outside_its_interval_is_a_warning():
    check = {"op": "Scale", "passed": False, "realised": 5, "requested_rate": 0.3, "interval": [20, 40]}
    (found,) = instance_cautions(report() | {"rates": [check, check | {"passed": None}, check | {"passed": True}]})
    assert "Scale was applied 5 times" in found["message"]
    assert "20 to 40" in found["message"]
