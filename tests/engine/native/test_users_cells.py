"""Cells as users write them learn natively what they learn on the reference engine."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from farback import tasks
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.engine.native._lanes import Compiled, leaves_of
from farback.engine.native._memory import laid
from farback.learners import Descent
from farback.learners.gradients import BPTT
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.trials._compiled import native
from farback.types import Params

KEPT = torch.tensor([1.0, 0.0, 1.0, 2.0])
EVEN = torch.tensor([True, False, True, False])


class Rounded(torch.autograd.Function):
    """The sign, with the slope of the hyperbolic tangent."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return torch.sign(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, slope):
        return slope * (1 - torch.tanh(ctx.saved_tensors[0]) ** 2)


def plain(p: Params, h: Tensor, x: Tensor) -> Tensor:
    return torch.tanh(p["w"] @ torch.cat([x, h]) + p["b"])


def in_place(p: Params, h: Tensor, x: Tensor) -> Tensor:
    net = p["w"] @ torch.cat([x, h])
    net += p["b"]
    return net.mul_(0.5).tanh_()


def counting(p: Params, h: Tensor, x: Tensor) -> Tensor:
    """With a number of the step in the state, that a Python number is added to."""
    return torch.cat([plain(p, h, x)[:3], h[3:] + 1])


def summed(p: Params, h: Tensor, x: Tensor) -> Tensor:
    u, v = p["w"].split([len(x), 4], 1)
    return torch.tanh(torch.einsum("ij,j->i", u, x) + torch.einsum("ij,j->i", v, h)) * p["b"]


def branched(p: Params, h: Tensor, x: Tensor) -> Tensor:
    """Chosen by a comparison, of which one side is no number."""
    net = plain(p, h, x)
    safe = torch.where(net > 0, net, 1.0)
    return torch.where(net > 0, torch.sqrt(safe), net) + torch.where(h > 5, torch.log(h), 0.0)


def of_views(p: Params, h: Tensor, x: Tensor) -> Tensor:
    pairs = plain(p, h, x).view(2, 2).t().reshape(-1)
    return torch.stack([pairs[0], *pairs[1:].flip(0).unbind()])


def kept(p: Params, h: Tensor, x: Tensor) -> Tensor:
    """Some units left out, some doubled."""
    return plain(p, h, x) * KEPT


def chosen(p: Params, h: Tensor, x: Tensor) -> Tensor:
    return torch.where(EVEN, plain(p, h, x), h)


def gated(p: Params, h: Tensor, x: Tensor) -> Tensor:
    net = p["w"] @ torch.cat([x, h]) + p["b"]
    gate, new = torch.sigmoid(net[:2]), F.softplus(net[2:])
    return torch.cat([gate, gate * new + (1 - gate) * h[2:]])


def normed(p: Params, h: Tensor, x: Tensor) -> Tensor:
    net = p["w"] @ torch.cat([x, h])
    off = net - net.sum() / 4
    return off * torch.rsqrt((off * off).sum() / 4 + 1e-5) * p["b"]


def attending(p: Params, h: Tensor, x: Tensor) -> Tensor:
    return torch.softmax(p["w"][:, -4:] @ h, 0) * plain(p, h, x)


def rounded(p: Params, h: Tensor, x: Tensor) -> Tensor:
    return h * 0.5 + Rounded.apply(plain(p, h, x))


def cut(p: Params, h: Tensor, x: Tensor) -> Tensor:
    return plain(p, h.detach(), x) + 0.1 * h


def leaking(p: Params, h: Tensor, x: Tensor) -> Tensor:
    return torch.lerp(h, F.relu(plain(p, h, x)), 0.3).clamp(-1, 1)


STEPS = {
    it.__name__: it
    for it in (
        *(plain, in_place, counting, summed, branched, of_views, kept, chosen, gated, normed),
        *(attending, rounded, cut, leaking),
    )
}


@dataclass(frozen=True)
class Odd(Cell):
    """Four units under a step of the user's."""

    named: str

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        shapes = {"w": (4, inputs + 4), "b": (4,), "v": (outputs, 4)}
        return {
            name: torch.randn(shape, generator=generator, dtype=torch.float64) * 0.5
            for name, shape in shapes.items()
        }

    def start(self, params: Params) -> Tensor:
        return params["b"] * 0.1

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": 4}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return STEPS[self.named](params, state, x)

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["v"] @ state


@pytest.mark.parametrize("name", STEPS)
def test_a_cell_of_a_users_has_its_own_gradient(name: str, quick: None) -> None:
    problem, trials = Problem(Odd(name), tasks.Adding(length=6)), 3
    program = native(problem, Descent(BPTT(), SGD(lr=1.0)), torch.float64).program
    compiled = Compiled(program, torch.float64, 4)
    sequences = problem.task.sample(Draws(range(trials), "odd"))
    packed = compiled.packed(
        leaves_of(Trials(problem).parameters(range(trials), torch.float64)), range(trials)
    )
    before, memory = packed.copy(), compiled.packed([], range(trials))
    lanes = compiled.lanes_of(np.arange(trials))
    compiled.train(packed, memory, lanes, laid(sequences, torch.float64), first=0, count=1, batch=1)
    for trial in range(trials):
        params = problem.parameters(trial)
        expected = BPTT()(problem, params, sequences.one(trial, 0)).gradient
        flat = torch.cat([it.flatten() for it in expected.values()]).numpy()
        np.testing.assert_allclose((before - packed)[0, :, trial], flat, rtol=1e-9, atol=1e-12)
