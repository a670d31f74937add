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


def called(kernel: Kernel, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays of numbers of `LANES` lanes after the kernel."""
    names = [f"a{place}" for place in range(len(arrays))]
    parameters = ", ".join(f"V *{name}" for name in [*names, "work"])
    call = f"void call({parameters}) {{ k_f({', '.join([*names, 'work'])}); }}\n"
    library = build(HEAD + kernel.text + call, defines={"LANES": LANES, "DOUBLE": 1})
    given = [*arrays, np.zeros((kernel.work + 1, LANES))]
    there = [aligned(it.shape, np.dtype(float)) for it in given]
    for place, it in zip(there, given, strict=True):
        place[:] = it
    library.call(*(ctypes.c_void_p(it.ctypes.data) for it in there))
    return there


def numbers(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(size, LANES))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("name", CHANGES)
def test_arrays_are_replaced_as_if_at_one_moment(name: str, sizes: tuple[int, int]) -> None:
    change = changed(CHANGES[name])
    arrays = [numbers(size, seed) for seed, size in enumerate(sizes)]
    writer = Writer("f", dict(zip("pm", sizes, strict=True)))
    given = [writer.array(it, [(size,)]) for it, size in zip("pm", sizes, strict=True)]
    graph = trace(change, *(torch.zeros(size, dtype=torch.float64) for size in sizes))
    made = writer.run(graph, *given)
    writer.replace(p=made[:1], m=made[1:])
    found = called(writer.done(["p", "m"]), *arrays)
    for lane in range(LANES):
        expected = change(*(torch.from_numpy(it[:, lane]) for it in arrays))
        for mine, theirs in zip(found, expected, strict=False):
            np.testing.assert_allclose(mine[:, lane], theirs.numpy(), rtol=1e-12, atol=1e-12)


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


@pytest.mark.parametrize("shape", [(2, 3), (25, 21)], ids=str)
@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_is_added_to_what_stands_there(name: str, shape: tuple[int, int]) -> None:
    size = int(np.prod(shape))
    arrays = [numbers(size, seed) for seed in range(3)]
    writer = Writer("f", {"one": size, "other": size, "g": size})
    given = [writer.array(it, [shape]) for it in ("one", "other")]
    graph = trace(ADDED[name], *(torch.zeros(shape, dtype=torch.float64) for _ in range(2)))
    writer.add("g", writer.run(graph, *given))
    found = called(writer.done(["g"]), *arrays)[2]
    for lane in range(LANES):
        x, y, before = (torch.from_numpy(it[:, lane].copy()).reshape(shape) for it in arrays)
        expected = (before + ADDED[name](x, y)).reshape(-1).numpy()
        np.testing.assert_allclose(found[:, lane], expected, rtol=1e-12, atol=1e-12)
