import os
import sys
import time
from types import ModuleType

import cv2
import pytest
from joblib import register_parallel_backend
from joblib._parallel_backends import ThreadingBackend

from noisyseg.labels import LabelError
from noisyseg.noise.dataset import backends
from noisyseg.noise.dataset.backends import run_tasks


def product(a, b):
    return a * b, os.getpid()


def slow_first(place):
    time.sleep(0.3 if place == 0 else 0)
    return place


def broken(place):
    if place == 3:
        raise LabelError("expected better", file="a.json", where="annotation 3")
    return place


@pytest.fixture
def ray(monkeypatch):
    """Puts a package in Ray's place whose joblib backend is the one of threads."""
    threads = cv2.getNumThreads()
    package, util, joblib = (ModuleType(name) for name in ("ray", "ray.util", "ray.util.joblib"))
    joblib.register_ray = lambda: register_parallel_backend("ray", ThreadingBackend)
    package.util, util.joblib = util, joblib
    for module in (package, util, joblib):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    yield
    cv2.setNumThreads(threads)


def test_one_local_process_is_this_one():
    assert list(run_tasks(product, iter([(2, 3), (4, 5)]), 1)) == [(6, os.getpid()), (20, os.getpid())]


def test_one_job_at_a_time_is_taken_here():
    taken = []
    results = run_tasks(product, ((taken.append(k), k) and (k, 1) for k in range(9)), 1)
    assert next(results)[0] == 0
    assert taken == [0]


def check_order_and_processes(backend, count):
    results = list(run_tasks(product, ((k, 2) for k in range(count)), 2, backend))
    assert [result for result, _ in results] == [2 * k for k in range(count)]
    assert os.getpid() not in {process for _, process in results}


def test_loky_keeps_the_order():
    check_order_and_processes("loky", 40)
    assert list(run_tasks(slow_first, ((k,) for k in range(8)), 2, "loky")) == list(range(8))


def test_a_dask_cluster_of_this_machine_keeps_the_order():
    pytest.importorskip("distributed")
    check_order_and_processes("dask", 40)


def test_a_dask_cluster_that_exists_is_used(dask_cluster):
    from distributed import Client

    with Client(dask_cluster.removeprefix("dask:"), set_as_default=False) as client:
        processes = set(client.run(os.getpid).values())
    results = list(run_tasks(product, ((k, 2) for k in range(40)), 1, dask_cluster))
    assert [result for result, _ in results] == [2 * k for k in range(40)]
    assert {process for _, process in results} <= processes
    with pytest.raises(LabelError, match=r"^a\.json: annotation 3: expected better$"):
        list(run_tasks(broken, ((k,) for k in range(6)), 1, dask_cluster))


@pytest.mark.usefixtures("ray")
def test_ray_keeps_the_order_in_rounds(monkeypatch):
    monkeypatch.setattr(backends, "ROUND", 4)
    taken = []

    def jobs():
        for k in range(20):
            taken.append(k)
            yield k, 2

    results = run_tasks(product, jobs(), 2, "ray")
    assert next(results)[0] == 0
    assert taken == list(range(8))  # the first round, and no more
    assert [result for result, _ in results] == [2 * k for k in range(1, 20)]


def test_ray_itself():
    pytest.importorskip("ray")
    check_order_and_processes("ray", 40)


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize("backend", ["loky", "ray"])
def test_an_error_of_a_worker_arrives(backend):
    with pytest.raises(LabelError, match=r"^a\.json: annotation 3: expected better$"):
        list(run_tasks(broken, ((k,) for k in range(6)), 2, backend))


@pytest.mark.parametrize("backend", ["threads", "", "dask:", "loky:tcp://a:1"])
def test_an_unknown_backend_is_an_error(backend):
    with pytest.raises(ValueError, match=rf"backend: expected one of loky, dask, ray, dask:ADDRESS, got '{backend}'"):
        run_tasks(product, iter([]), 2, backend)


def test_a_backend_that_is_not_installed_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.util", None)
    monkeypatch.setitem(sys.modules, "ray.util.joblib", None)
    with pytest.raises(ImportError, match=r"ray is not installed: pip install 'noisyseg\[ray\]'"):
        run_tasks(product, iter([]), 2, "ray")


def test_no_worker_is_an_error():
    with pytest.raises(ValueError, match="workers: expected an integer >= 1, got 0"):
        run_tasks(product, iter([]), 0)
