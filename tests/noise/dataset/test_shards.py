import orjson
import pytest

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import LabelError
from noisyseg.labels.files import sha256
from noisyseg.noise.dataset import generate_noise
from noisyseg.noise.dataset.any_layout import make_noise

HARD = load_recipe("coco_n_hard")
BROKEN = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}


@pytest.fixture
def shards(tmp_path, coco_document):
    """Returns a folder with four COCO files for training and one for validation."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for k in range(4):
        (folder / f"part_{k}.json").write_bytes(orjson.dumps(coco_document(first=1 + 5 * k, images=5)))
    (folder / "part_val.json").write_bytes(orjson.dumps(coco_document(first=100)))
    return folder


def check(folder, shards, manifest, tmp_path):
    assert sorted(path.name for path in folder.iterdir()) == [
        "noise.manifest.json",
        *(f"part_{k}.json" for k in range(4)),
    ]
    counts = {}
    for k in range(4):
        name = f"part_{k}.json"
        alone = generate_noise(HARD, shards / name, tmp_path / "alone.json", seed=4, force=True)
        assert (folder / name).read_bytes() == (tmp_path / "alone.json").read_bytes()
        entry = manifest["files"][name]
        assert entry["clean"] == sha256(shards / name)
        assert entry["noisy"] == sha256(folder / name)
        assert entry["counts"] == alone["counts"]
        for what, count in alone["counts"].items():
            counts[what] = counts.get(what, 0) + count
    assert manifest["counts"] == counts
    assert manifest["annotations"] == 40
    assert manifest["left_out"] == {"val": 1}


def test_each_file_comes_out_as_it_does_alone(shards, tmp_path):
    manifest = make_noise(HARD, shards, tmp_path / "out", seed=4)
    check(tmp_path / "out", shards, manifest, tmp_path)
    assert orjson.loads((tmp_path / "out" / "noise.manifest.json").read_bytes()) == manifest


def test_several_processes_write_the_same(shards, tmp_path):
    manifest = make_noise(HARD, shards, tmp_path / "out", seed=4, workers=2)
    check(tmp_path / "out", shards, manifest, tmp_path)


def test_a_dask_cluster_writes_the_same(shards, tmp_path, dask_cluster):
    manifest = make_noise(HARD, shards, tmp_path / "out", seed=4, backend=dask_cluster)
    check(tmp_path / "out", shards, manifest, tmp_path)


def test_a_single_file_comes_out_the_same_on_dask(shards, tmp_path, dask_cluster):
    for name, options in (("one", {}), ("two", {"backend": dask_cluster})):
        generate_noise(HARD, shards / "part_0.json", tmp_path / f"{name}.json", seed=4, **options)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_a_broken_file_is_named_and_the_others_stay(shards, tmp_path, coco_document):
    broken = coco_document(first=50)
    broken["annotations"][1]["category_id"] = 99
    (shards / "part_2.json").write_bytes(orjson.dumps(broken))
    with pytest.raises(LabelError, match=r"shards/part_2\.json: annotation 501: category_id: expected one of"):
        make_noise(HARD, shards, tmp_path / "out", seed=4)
    assert {"part_0.json", "part_1.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
    (shards / "part_2.json").write_bytes(orjson.dumps(coco_document(first=11, images=5)))
    manifest = make_noise(HARD, shards, tmp_path / "out", seed=4)
    check(tmp_path / "out", shards, manifest, tmp_path)


def test_warnings_name_their_file(shards, tmp_path, coco_document):
    document = coco_document()
    document["annotations"][0]["id"] = 0
    (shards / "part_1.json").write_bytes(orjson.dumps(document))
    manifest = make_noise(HARD, shards, tmp_path / "out", seed=4)
    assert manifest["warnings"] == [
        "part_1.json: an annotation had id 0: every annotation id is one higher than in the input"
    ]


def test_exact_numbers_hold_in_each_file_and_it_is_said(shards, maps, tmp_path, monkeypatch):
    from noisyseg.noise.masks import Scale

    monkeypatch.setattr(Scale, "plans", True)
    manifest = make_noise(BROKEN, shards, tmp_path / "out", seed=4)
    assert manifest["warnings"] == ["exact numbers of objects hold in each file by itself, not over all of them"]
    expected = "noise: Recipe counts objects over a whole COCO file, which label maps cannot promise"
    with pytest.raises(ValueError, match=expected):
        make_noise(BROKEN, maps(["a.png"]), tmp_path / "noisy", seed=4, classes=["a"])


def test_lvis_keeps_what_it_says_of_images(tmp_path, coco_document):
    document = coco_document()
    for image in document["images"]:
        del image["file_name"]
        image |= {"coco_url": f"http://images/train2017/{image['id']}.jpg", "neg_category_ids": [3]}
        image["not_exhaustive_category_ids"] = [7]
    for category in document["categories"]:
        category |= {"frequency": "r", "synset": "x.n.01", "image_count": 3}
    for annotation in document["annotations"]:
        del annotation["iscrowd"]
    source = tmp_path / "lvis_v1_train.json"
    source.write_bytes(orjson.dumps(document))
    manifest = make_noise(HARD, source, tmp_path / "out.json", seed=1)
    noisy = orjson.loads((tmp_path / "out.json").read_bytes())
    assert noisy["images"] == document["images"]
    assert noisy["categories"] == document["categories"]
    assert [a["id"] for a in noisy["annotations"]] == [a["id"] for a in document["annotations"]]
    assert not any("iscrowd" in annotation for annotation in noisy["annotations"])
    assert manifest["counts"]["mask_changed"] > 0
