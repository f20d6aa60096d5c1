"""Small data sets of every layout, and a run that can be killed."""

import importlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import orjson
import pytest
from PIL import Image

from noisyseg.noise.dataset.any_layout import make_noise
from noisyseg.registry import TASK_UTILS

# Models of somebody else: one on maps and one on instances, both slow where SLOW says how slow, and with a log.
THEIRS = """
import os
import time

from noisyseg.labels import SemanticMap
from noisyseg.noise import Change, NoiseModel, ObjectNoise
from noisyseg.registry import TASK_UTILS


def work(what):
    time.sleep(float(os.environ.get("SLOW", 0)))
    with open(os.environ["LOG"], "a") as log:
        log.write(f"{what}\\n")


@TASK_UTILS.register_module()
class SlowMaps(NoiseModel):
    takes = SemanticMap

    def sample(self, labels, rng):
        work("map")
        return {"op": self.op, "class": int(rng.integers(len(labels.categories)))}

    def apply(self, labels, params):
        classes = labels.classes.copy()
        classes[:2][classes[:2] != 255] = params["class"]
        return labels.replace(classes=classes)


@TASK_UTILS.register_module()
class SlowObjects(ObjectNoise):
    def draw(self, labels, i, streams):
        work(int(labels.source[i]))
        return {"class": int(streams.of(self.op, int(labels.source[i])).integers(len(labels.categories)))}

    def changes(self, labels, draws):
        return {i: Change(class_=drawn["class"]) for i, drawn in draws.items()}


@TASK_UTILS.register_module()
class CostlyObjects(SlowObjects):
    costly = True
"""
RUN = """
import sys

import orjson
import theirs
from noisyseg.noise.dataset import make_noise

if __name__ == "__main__":
    recipe, source, target, options = sys.argv[1:]
    make_noise(orjson.loads(recipe), source, target, seed=3, **orjson.loads(options))
"""


class Runs:
    """Runs `make_noise` with the models of somebody else, here or in a process that can be killed."""

    def __init__(self, folder, log, monkeypatch):
        self.folder, self.log, self.monkeypatch = folder, log, monkeypatch

    def kill(self, enough, recipe, source, target, **options):
        """Starts a slow run and kills it, with its workers, as soon as `enough` says so."""
        environment = {"PYTHONPATH": str(self.folder), "LOG": os.devnull, "SLOW": "0.03"}
        arguments = [orjson.dumps(recipe), str(source), str(target), orjson.dumps(options)]
        command = [sys.executable, str(self.folder / "run.py"), *arguments]
        with subprocess.Popen(command, env=os.environ | environment, start_new_session=True) as process:
            deadline = time.monotonic() + 60
            while not enough() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=60)
        assert process.returncode == -signal.SIGKILL

    def finish(self, recipe, source, target, **options):
        """Runs to the end, in this process; returns how often a model worked."""
        self.log.write_text("")
        self.monkeypatch.setenv("LOG", str(self.log))
        make_noise(recipe, source, target, seed=3, **options)
        return len(self.log.read_text().splitlines())


@pytest.fixture(scope="session")
def their_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "theirs.py").write_text(THEIRS)
    (folder / "run.py").write_text(RUN)
    sys.path.insert(0, str(folder))
    importlib.import_module("theirs")
    yield folder
    sys.path.remove(str(folder))
    for name in ("SlowMaps", "SlowObjects", "CostlyObjects"):
        TASK_UTILS.module_dict.pop(name)


@pytest.fixture
def runs(their_folder, tmp_path, monkeypatch):
    return Runs(their_folder, tmp_path / "log.txt", monkeypatch)


@pytest.fixture(scope="session")
def dask_cluster():
    """Returns the address of a cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
    ) as cluster:
        yield f"dask:{cluster.scheduler_address}"


@pytest.fixture
def coco_document():
    """Returns a function that makes a COCO document with images of two objects each."""

    def make(first=1, images=3):
        square = {"segmentation": [[4, 5, 13, 5, 13, 14, 4, 14]], "bbox": [4, 5, 9, 9], "area": 81, "iscrowd": 0}
        ids = range(first, first + images)
        return {
            "images": [{"id": id_, "file_name": f"{id_}.png", "height": 30, "width": 40} for id_ in ids],
            "annotations": [
                {"id": 10 * id_ + k, "image_id": id_, "category_id": 3 + 4 * k} | square for id_ in ids for k in (0, 1)
            ],
            "categories": [{"id": 7, "name": "seven"}, {"id": 3, "name": "three"}],
        }

    return make


@pytest.fixture
def maps(tmp_path):
    """Returns a function that writes label maps of random blocks and returns their folder."""

    def make(names, values=(0, 1, 2, 255), root="maps", dtype=np.uint8, seed=0):
        rng = np.random.default_rng(seed)
        for name in names:
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.kron(rng.choice(values, (3, 4)), np.ones((8, 8))).astype(dtype)).save(path)
        return tmp_path / root

    return make


def contents(folder):
    """Returns the bytes of each file below a folder, but for the manifest."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "noise.manifest.json"
    }


@pytest.fixture(name="contents")
def contents_fixture():
    return contents
