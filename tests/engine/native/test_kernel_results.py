"""A kernel changes what it reads from as if at one moment, and adds to what stands there."""

import ctypes
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_in_c import HEAD, LANES

from farback.engine.native._body import FEW
from farback.engine.native._cache import build
from farback.engine.native._kernel import Kernel, Writer
from farback.engine.native._lanes import aligned
from farback.engine.native._trace import trace

SIZES = (5, 3), (1, 1), (3 * FEW, FEW + 7)
Both = tuple[Tensor, Tensor]


def changed(flat: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Both]:
    """The same of two arrays that stand one behind the other."""

    def change(p: Tensor, m: Tensor) -> Both:
        made = flat(torch.cat([p, m]))
        return made[: len(p)], made[len(p) :]

    return change


def scattered(flat: Tensor) -> Tensor:
    """From anywhere, every third from where it goes."""
    places = np.random.default_rng(3).integers(len(flat), size=len(flat))
    places[::3] = np.arange(len(flat))[::3]
    return flat[torch.from_numpy(places)]


CHANGES = {
    "nothing": lambda flat: flat,
    "turned around": lambda flat: flat.flip(0),
    "one further": lambda flat: torch.cat([flat[1:], flat[:1]]),
    "one back": lambda flat: torch.cat([flat[-1:], flat[:-1]]),
    "all of one": lambda flat: flat[1:2].expand(len(flat)),
    "scattered": scattered,
    "products of the next": lambda flat: flat * torch.cat([flat[1:], flat[:1]]),
    "some products": lambda flat: torch.cat([flat[:2] * flat[-1], flat[2:].flip(0)]),
    "less than the sum": lambda flat: flat.sum() - flat,
    "masks": lambda flat: (flat > flat.flip(0)) * 1.0 + torch.where(flat > 0, flat.flip(0), flat),
    "constants": lambda flat: torch.cat([torch.zeros(1), flat[:-2], torch.ones(1)]),
}


def numbers(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, LANES))


ADDED = {
    "numbers": lambda x, y: x + y,
    "products": lambda x, y: x * y,
    "outer products": lambda x, y: x[:, :1] * y[:1],
    "products and numbers": lambda x, y: torch.cat([x[:1] * y[:1], y[1:]]),
    "products and zeros": lambda x, y: torch.cat([x[:, :1] * 0, x[:, 1:] * y[:, 1:]], 1),
    "nothing": lambda x, y: x * 0,
    "the same product twice": lambda x, y: torch.cat([x[:1] * y[:1]] * len(x)),
    "ones": lambda x, y: torch.ones_like(x),
    "masks": lambda x, y: (x > y) * 1.0,
    "products turned": lambda x, y: (x * y).flip(0, 1),
}


SHAPES = (2, 3), (25, 21)
Case = tuple[str, tuple[int, int]]


def replacing(writer: str, name: str, sizes: tuple[int, int]) -> Kernel:
    made = Writer(writer, dict(zip("pm", sizes, strict=True)))
    given = [made.array(it, [(size,)]) for it, size in zip("pm", sizes, strict=True)]
    like = (torch.zeros(size, dtype=torch.float64) for size in sizes)
    results = made.run(trace(changed(CHANGES[name]), *like), *given)
    made.replace(p=results[:1], m=results[1:])
    return made.done(["p", "m"])


def adding(writer: str, name: str, shape: tuple[int, int]) -> Kernel:
    size = int(np.prod(shape))
    made = Writer(writer, {"one": size, "other": size, "g": size})
    given = [made.array(it, [shape]) for it in ("one", "other")]
    graph = trace(ADDED[name], *(torch.zeros(shape, dtype=torch.float64) for _ in range(2)))
    made.add("g", made.run(graph, *given))
    return made.done(["g"])


class Kernels:
    """A kernel of each case, all of them compiled as one C source."""

    def __init__(self) -> None:
        makers: dict[Case, Callable[..., Kernel]] = {
            (name, sizes): make
            for make, names, asked in ((replacing, CHANGES, SIZES), (adding, ADDED, SHAPES))
            for name in names
            for sizes in asked
        }
        self._kernels = {
            case: make(f"f{number}", *case) for number, (case, make) in enumerate(makers.items())
        }
        self._numbers = {case: number for number, case in enumerate(makers)}
        texts = [it.text + self._call(case) for case, it in self._kernels.items()]
        self._library = build(HEAD + "".join(texts), defines={"LANES": LANES, "DOUBLE": 1})

    def _call(self, case: Case) -> str:
        number, names = self._numbers[case], ["a0", "a1"]
        names += ["a2"] * (case[1] in SHAPES)
        parameters = ", ".join(f"V *{name}" for name in [*names, "work"])
        called = f"k_f{number}({', '.join([*names, 'work'])})"
        return f"void call{number}({parameters}) {{ {called}; }}\n"

    def call(self, case: Case, *arrays: np.ndarray) -> list[np.ndarray]:
        """The arrays of numbers of `LANES` lanes after the kernel."""
        given = [*arrays, np.zeros((self._kernels[case].work + 1, LANES))]
        there = [aligned(it.shape, np.dtype(float)) for it in given]
        for place, it in zip(there, given, strict=True):
            place[:] = it
        function = getattr(self._library, f"call{self._numbers[case]}")
        function(*(ctypes.c_void_p(it.ctypes.data) for it in there))
        return there


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return Kernels()


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", CHANGES)
def test_arrays_are_replaced_as_if_at_one_moment(
    name: str, sizes: tuple[int, int], kernels: Kernels
) -> None:
    change = changed(CHANGES[name])
    arrays = [numbers(size, seed) for seed, size in enumerate(sizes)]
    found = kernels.call((name, sizes), *arrays)
    for lane in range(LANES):
        expected = change(*(torch.from_numpy(it[:, lane]) for it in arrays))
        for mine, theirs in zip(found, expected, strict=False):
            np.testing.assert_allclose(mine[:, lane], theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_is_added_to_what_stands_there(
    name: str, shape: tuple[int, int], kernels: Kernels
) -> None:
    arrays = [numbers(int(np.prod(shape)), seed) for seed in range(3)]
    found = kernels.call((name, shape), *arrays)[2]
    for lane in range(LANES):
        x, y, before = (torch.from_numpy(it[:, lane].copy()).reshape(shape) for it in arrays)
        expected = (before + ADDED[name](x, y)).reshape(-1).numpy()
        np.testing.assert_allclose(found[:, lane], expected, rtol=1e-12, atol=1e-12)
