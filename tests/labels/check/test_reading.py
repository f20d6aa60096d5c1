import json

import pytest

from noisyseg.labels.check import check_coco, exit_code


def codes(path):
    return [finding.code for finding in check_coco(path)]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "json-syntax", "line 1, column 1"),
        ('{"images": [],\n "annotations": [1, 2', "json-syntax", "line 2, column 22"),
        ('{"images": []} x', "json-syntax", "line 1, column 16: Extra data"),
        ("{'images': []}", "json-syntax", "line 1, column 2"),
        ("[" * 100_000, "json-syntax", "cannot be parsed"),
        (b'{"images": "\xff"}', "json-encoding", "got byte 0xff at 12"),
        ('{"images": []}'.encode("utf-16"), "json-encoding", "got byte 0xff at 0"),
        (b"\x89PNG\r\n\x1a\n", "json-encoding", "got byte 0x89 at 0"),
        ("7", "not-coco", "expected an object with images, annotations, categories, got 7"),
        ("null", "not-coco", "got None"),
        ("[]", "not-coco", "got a list"),
        ('[{"image_id": 1, "score": 0.5}]', "not-coco", "it looks like a file of detection results"),
        ("{}", "not-coco", "expected the keys images, annotations, categories, got []"),
        ('{"shapes": [], "imagePath": ""}', "not-coco", "got ['imagePath', 'shapes']"),
    ],
)
def test_what_is_no_coco_json_cannot_be_checked(text, code, message, save):
    findings = check_coco(save(text))
    assert [finding.code for finding in findings] == [code]
    assert message in findings[0].message
    assert exit_code(findings) == 2


def test_a_file_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path, "nul\0l.json"):
        findings = check_coco(path)
        assert [finding.code for finding in findings] == ["file-unreadable"]
        assert exit_code(findings) == 2


def test_a_byte_order_mark_is_reported_and_passed(document, save):
    assert codes(save(b"\xef\xbb\xbf" + json.dumps(document).encode())) == ["json-bom"]


def test_literals_that_json_lacks_are_counted_and_located(document, save):
    document["info"] = {"a": float("nan"), "b": float("nan"), "c": float("-inf")}
    (finding,) = check_coco(save(json.dumps(document, indent=1)))
    assert finding.code == "json-nan"
    assert finding.message.startswith("expected numbers, got NaN 2 times, -Infinity 1 time: ")
    assert "line 3 column 8" in finding.message


def test_what_only_strict_readers_refuse(document, save):
    document["info"] = {"half a character": "\ud800"}
    assert codes(save(document)) == ["json-strict"]


def test_a_repeated_key(document, save):
    text = json.dumps(document).replace('"area": 256', '"area": 1, "area": 256')
    (finding,) = check_coco(save(text))
    assert (finding.code, exit_code([finding])) == ("json-duplicate-key", 1)
    assert finding.message == "expected the key 'area' once, got it again in 1 object"
