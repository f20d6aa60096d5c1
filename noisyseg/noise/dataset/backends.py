"""Run the jobs of a data set in this process, in processes of this machine, or on a Dask or Ray cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import cv2
from joblib import Parallel, delayed, parallel_config

R = TypeVar("R")
BACKENDS = ("loky", "dask", "ray")
# Jobs a process in one round, where results come only when all of them are done: few enough to bound memory, many
# enough that waiting for the last of a round does not matter.
ROUND = 32
# Jobs a process that are sent to Dask before the result of the first of them is taken.
AHEAD = 4
# Workers of a queueing system can take minutes to come up.
SECONDS_FOR_WORKERS = 600


def run_tasks(function: Callable[..., R], jobs: Iterator[tuple], workers: int, backend: str = "loky") -> Iterator[R]:
    """Yields ``function(*job)`` for each of the jobs, in order.

    Jobs are taken from the iterator as workers become free, so that a few of them exist at a time: with ``"loky"``
    two for each process, with ``"dask"`` four, with ``"ray"``, whose joblib backend gives results only all together,
    rounds of 32.

    Args:
        function: What to do; importable by name on the workers. It must not matter where it runs.
        jobs: The arguments of each call.
        workers: Number of processes, >= 1; on a cluster that exists already, all of its processes are used.
        backend: ``"loky"``: processes of this machine, or this process itself where ``workers`` is 1.
            ``"dask"``: a Dask cluster of this machine; ``"dask:ADDRESS"``: the cluster with that scheduler.
            ``"ray"``: Ray, on the cluster that its environment names or on this machine.

    Raises:
        ValueError: There is no such backend, or ``workers`` is below 1.
        ImportError: The package of the backend is not installed.
        OSError: The scheduler does not answer.
    """
    name = check_backend(backend)
    if workers < 1:
        raise ValueError(f"workers: expected an integer >= 1, got {workers}")
    if name == "loky":
        if workers == 1:
            return (function(*job) for job in jobs)
        return _in_loky(function, jobs, workers)
    return (_in_dask if name == "dask" else _in_ray)(function, jobs, workers, backend.partition(":")[2])


def check_backend(backend: str) -> str:
    """Returns the name of the backend without its address; raises ValueError or ImportError where it cannot be used."""
    name, colon, address = backend.partition(":")
    if name not in BACKENDS or (colon and (name != "dask" or not address)):
        raise ValueError(f"backend: expected one of {', '.join(BACKENDS)}, dask:ADDRESS, got {backend!r}")
    try:
        if name == "dask":
            import distributed  # noqa: F401
        elif name == "ray":
            import ray.util.joblib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"backend: {name} is not installed: pip install 'noisyseg[{name}]' ({error})") from error
    return name


def _alone(function: Callable[..., R], *job: Any) -> R:  # noqa: ANN401 - the arguments of any function
    cv2.setNumThreads(1)  # one process a core; OpenCV's own threads would only fight over it
    return function(*job)


def _calls(function: Callable[..., R], jobs: Iterator[tuple]) -> Iterator[Any]:
    return (delayed(_alone)(function, *job) for job in jobs)


def _in_loky(function: Callable[..., R], jobs: Iterator[tuple], workers: int) -> Iterator[R]:
    yield from Parallel(n_jobs=workers, backend="loky", return_as="generator", batch_size=1)(_calls(function, jobs))


def _in_dask(function: Callable[..., R], jobs: Iterator[tuple], workers: int, address: str) -> Iterator[R]:
    # Submitted here and not by joblib, whose Dask backend finishes jobs ahead without a bound, and knows only the
    # processes that are there at the beginning.
    with _dask_client(workers, address) as client:
        client.wait_for_workers(1, timeout=SECONDS_FOR_WORKERS)
        waiting = deque()
        for job in jobs:
            waiting.append(client.submit(_alone, function, *job, pure=False))
            if len(waiting) >= AHEAD * max(sum(client.ncores().values()), 1):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _dask_client(workers: int, address: str) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if address:
        with Client(address, set_as_default=False) as client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _in_ray(function: Callable[..., R], jobs: Iterator[tuple], workers: int, _: str) -> Iterator[R]:
    from ray.util.joblib import register_ray

    register_ray()
    calls = _calls(function, jobs)
    with parallel_config("ray", n_jobs=workers):
        parallel = Parallel()
    while round_ := list(islice(calls, ROUND * workers)):
        yield from parallel(round_)
