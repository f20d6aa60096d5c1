"""Random generators that depend on what they are for, and on nothing else.

A generator is named by a seed and a key (image id, annotation id, name of the operation, …). Equal names give
equal draws, in any order of asking, in any process and on any platform; adding an operation or an object to a
data set changes the draws of no other.

Reference: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Philox, counter-based).
"""

from __future__ import annotations

import copy
import hashlib

import numpy as np
import numpy.typing as npt
from numpy.random import Generator, Philox
from numpy.random.bit_generator import ISeedSequence

from noisyseg.labels.kernels.philox import first_uniforms

_KEY_BYTES = 16


def keyed_rng(seed: int, *key: str | int) -> Generator:
    """Returns the generator named by ``seed`` and ``key``.

    Args:
        seed: The master seed, any integer >= 0.
        *key: What the draws are for, such as ``"train", 17``. ``"17"`` and ``17`` are different.

    Raises:
        TypeError: A part is neither ``str`` nor ``int``.
        ValueError: The seed is negative.

    Example:
        >>> keyed_rng(0, 17).random() == keyed_rng(0, 17).random()
        True
        >>> keyed_rng(0, 17).random() == keyed_rng(0, "17").random()
        False
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed: expected an integer, got {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"seed: expected an integer >= 0, got {seed}")
    return _generator(_fold(b"", int(seed), *key))


def fork(rng: Generator, *key: str | int) -> Generator:
    """Returns the generator named by the name of ``rng`` and ``key``; how far ``rng`` has been used is no matter.

    ``fork(keyed_rng(seed, a), b)`` is ``keyed_rng(seed, a, b)``.
    """
    return _generator(_fold(_name(rng), *key))


class ObjectStreams:
    """Gives each (operation, object) pair of one image its own draws, at the cost of a counter reset.

    Args:
        rng: The generator of the image.
        sources: (N,) int64 ids of the objects that will draw, where they are known: see :meth:`uniform`.
    """

    def __init__(self, rng: Generator, sources: npt.NDArray[np.int64] | None = None) -> None:
        self._image = _name(rng)
        self._sources = np.zeros(0, np.int64) if sources is None else sources
        self._uniforms: dict[str, dict[int, float]] = {}
        self._philox = Philox(_Key(_words(self._image)))
        self._state = self._philox.state
        self._generator = Generator(self._philox)
        self._keys: dict[str, npt.NDArray[np.uint64]] = {}
        self._inner: dict[str, ObjectStreams] = {}

    def under(self, op: str) -> ObjectStreams:
        """Returns the streams for what is inside ``op``: other ones than those of the same operations outside it."""
        inner = self._inner.get(op)
        if inner is None:
            inner = self._inner[op] = copy.copy(self)  # on the same Philox: `of` sets its state anew each time
            inner._image, inner._keys, inner._inner, inner._uniforms = _fold(self._image, op), {}, {}, {}
        return inner

    def of(self, op: str, source: int) -> Generator:
        """Returns the generator for one object; it is valid until the next call, also of a stream under this one.

        Args:
            op: Name of the operation.
            source: Id of the object, any integer; negative ids (invented objects) have streams of their own.
        """
        state = self._state["state"]
        state["key"] = self._key(op)
        # Words 0 and 1 count the draws of one object; word 2 says which object, word 3 whether it is invented.
        state["counter"] = (0, 0, abs(source), source < 0)
        self._philox.state = self._state
        return self._generator

    def uniform(self, op: str, source: int) -> float:
        """Returns what ``of(op, source).random()`` does; for all known sources at once, which is many times faster."""
        numbers = self._uniforms.get(op)
        if numbers is None:
            drawn = first_uniforms(self._key(op), self._sources)
            numbers = self._uniforms[op] = dict(zip(self._sources.tolist(), drawn.tolist(), strict=True))
        number = numbers.get(source)
        return self.of(op, source).random() if number is None else number

    def _key(self, op: str) -> npt.NDArray[np.uint64]:
        key = self._keys.get(op)
        if key is None:
            key = self._keys[op] = _words(_fold(self._image, op))
        return key


class _Key(ISeedSequence):
    """Gives Philox its key; given as ``key=``, it comes with a call for the system's entropy that nobody needs."""

    def __init__(self, words: npt.NDArray[np.uint64]) -> None:
        self.words = words

    def generate_state(self, n_words: int, dtype: npt.DTypeLike = np.uint32) -> npt.NDArray[np.uint64]:
        """Returns the key, whatever is asked for; Philox asks for two words of 64 bits."""
        return self.words


def _name(rng: Generator) -> bytes:
    """Returns the bytes that name a generator made here."""
    state = rng.bit_generator.state
    if state["bit_generator"] != "Philox":
        raise TypeError(f"rng: expected a generator from keyed_rng, got {state['bit_generator']}")
    return state["state"]["key"].astype("<u8").tobytes()


def _generator(name: bytes) -> Generator:
    return Generator(Philox(_Key(_words(name))))


def _fold(name: bytes, *key: str | int) -> bytes:
    """Returns the 16 bytes that name ``name`` followed by each part of ``key``."""
    for part in key:
        if isinstance(part, bool) or not isinstance(part, str | int | np.integer):
            raise TypeError(f"key: expected str or int, got {type(part).__name__}")
        kind = b"s" if isinstance(part, str) else b"i"
        name = hashlib.blake2b(name + kind + str(part).encode(), digest_size=_KEY_BYTES).digest()
    return name


def _words(name: bytes) -> npt.NDArray[np.uint64]:
    return np.frombuffer(name, "<u8").astype(np.uint64)
