"""The contract of a cell, for farback's own and for anybody's.

A cell is held to what the engines, the gradients and the store take for granted: that it is a value
which its repr tells whole, that its functions are pure and follow the type of the parameters, that
they can be mapped, differentiated and traced, and that its derivative is what it says it is.

    >>> from farback.cells.elman import Elman
    >>> check_cell(Elman(hidden=2))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import gradcheck
from torch.func import vjp, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from ..cells._cell import Cell
from ..draws import Draws
from ..learners.gradients.bptt import BPTT
from ..problem import Problem, Trials, read, unroll
from ..types import Params, Sequences, of_trial, stacked
from ._contract import check_configuration, copied, keep, require, require_close, require_kind, same
from ._noise import Noise

Function = Callable[[Params, Tensor, Tensor], Tensor]
"""`step` or `read` of a cell."""


def check_cell(cell: Cell, *, inputs: int = 3, outputs: int = 2) -> None:
    """Hold a cell to the contract, on noise of a few steps.

    Args:
        cell: an instance; try several, one for every choice that changes its equations.
        inputs: I, where the cell cannot have any number.
        outputs: O, likewise.

    Raises:
        ContractBroken: the first claim that it breaks, and how.
        WrongUsage: the cell refuses so many inputs or outputs.
    """
    require_kind(cell, Cell)
    keep(CLAIMS, _Bench(cell, inputs, outputs), repr(cell))


@dataclass(frozen=True)
class _Bench:
    """What a cell is tried on."""

    cell: Cell
    inputs: int
    outputs: int

    @property
    def problem(self) -> Problem:
        return Problem(self.cell, Noise(self.inputs, self.outputs))

    def params(self, seed: int = 0) -> Params:
        return self.problem.parameters(seed)

    def sequences(self) -> Sequences:
        """Two trials of two sequences each."""
        return self.problem.task.sample(Draws((0, 1), "contract", count=2))

    def moment(self, seed: int = 0) -> tuple[Params, Tensor, Tensor]:
        """Parameters, a state in the middle of a sequence, and the next input."""
        params, row = self.params(seed), self.sequences().one(seed, 0)
        state = self.cell.start(params)
        for x in row.inputs[:2]:
            state = self.cell.step(params, state, x)
        return params, state, row.inputs[2]


def _a_value_told_by_its_repr(bench: _Bench) -> None:
    check_configuration(bench.cell)


def _the_same_start_for_the_same_seed(bench: _Bench) -> None:
    before = torch.get_rng_state()
    params = bench.params()
    for name, value in params.items():
        expected = value.dtype == torch.float64
        require(expected, f"parameter {name} came in {value.dtype}, expected torch.float64.")
    require(same(params, bench.params()), "two calls with the same seed give other parameters.")
    untouched = torch.equal(before, torch.get_rng_state())
    require(untouched, "it draws from torch's global generator; try the generator it is given.")


def _vectors_of_the_stated_sizes(bench: _Bench) -> None:
    cell, (params, state, x) = bench.cell, bench.moment()
    layout = cell.layout(params)
    require(all(size > 0 for size in layout.values()), f"its layout {layout} has an empty part.")
    size = (sum(layout.values()),)
    for what, shape, expected in (
        ("start", tuple(cell.start(params).shape), size),
        ("step", tuple(cell.step(params, state, x).shape), size),
        ("read", tuple(cell.read(params, state, x).shape), (bench.outputs,)),
    ):
        require(shape == expected, f"{what} gives shape {shape}, expected {expected}.")


def _the_type_of_the_parameters(bench: _Bench) -> None:
    cell, (params, _, x) = bench.cell, bench.moment()
    for dtype in (torch.float32, torch.float64):
        typed = {name: value.to(dtype) for name, value in params.items()}

        def follows(what: str, made: Tensor, dtype: torch.dtype = dtype) -> Tensor:
            came = made.dtype == dtype
            require(came, f"{what} gives {made.dtype} for parameters of {dtype}.")
            return made

        state = follows("start", cell.start(typed))
        state = follows("step", cell.step(typed, state, x.to(dtype)))
        follows("read", cell.read(typed, state, x.to(dtype)))


def _pure_functions(bench: _Bench) -> None:
    moment = bench.moment()
    given, before = copied(moment), torch.get_rng_state()
    for what, function in (("step", bench.cell.step), ("read", bench.cell.read)):
        made = function(*moment)
        require(
            same(moment, given),
            f"{what} writes into its arguments; try an operation that makes a tensor.",
        )
        require(same(made, function(*moment)), f"{what} differs at the second call.")
    untouched = torch.equal(before, torch.get_rng_state())
    require(untouched, "it draws from torch's global generator; a step has no randomness.")


def _traced_once_for_all_numbers(bench: _Bench) -> None:
    first, second = (_two(bench, seeds) for seeds in ((0, 1), (1, 0)))
    for what, function in (("step", bench.cell.step), ("read", bench.cell.read)):
        mapped = vmap(_with_derivatives(function))
        traced = make_fx(mapped)(*first)
        for ours, theirs in zip(traced(*second), mapped(*second), strict=True):
            require_close(
                ours, theirs, 1e-12, f"{what} traced on some numbers is another function on others"
            )


def _alone_as_among_others(bench: _Bench) -> None:
    problem, sequences = bench.problem, bench.sequences()
    net = Trials(problem)
    params = net.parameters((0, 1), torch.float64)
    states = unroll(net, params, sequences)
    outputs = read(net, params, states, sequences).outputs
    for trial in range(2):
        own = of_trial(params, trial)
        for row in range(2):
            alone = sequences.one(trial, row)
            steps = alone.steps
            states_alone = unroll(problem, own, alone)
            readings = read(problem, own, states_alone, alone)
            sentence = "a sequence alone goes another way than among others"
            require_close(states[: steps + 1, trial, row], states_alone, 1e-12, sentence)
            require_close(outputs[:steps, trial, row], readings.outputs, 1e-12, sentence)


def _the_derivative_of_finite_differences(bench: _Bench) -> None:
    params, state, x = bench.moment()
    tensors = [it.clone().requires_grad_() for it in (*params.values(), state, x)]
    parts = {"read": bench.cell.read}
    if bench.cell.exact:
        parts["step"] = bench.cell.step
    for what, function in parts.items():
        flat = _of_tensors(function, list(params))
        good = gradcheck(flat, tensors, eps=1e-6, atol=1e-7, rtol=1e-5, raise_exception=False)
        require(
            good,
            f"the derivative of {what} is not what finite differences give; where step cuts it on "
            "purpose, let `exact` be False.",
        )


def _linear_in_the_error(bench: _Bench) -> None:
    if not bench.cell.has_jacobian:
        return
    params, state, x = bench.moment()
    generator = torch.Generator().manual_seed(0)
    for what, function in (("step", bench.cell.step), ("read", bench.cell.read)):
        made, back = vjp(function, params, state, x)[:2]
        one, other = torch.randn(2, *made.shape, generator=generator, dtype=made.dtype)
        parts = [pytree.tree_leaves(back(it)) for it in (one, other, one + 2 * other)]
        for first, second, both in zip(*parts, strict=True):
            require_close(
                both,
                first + 2 * second,
                1e-12,
                f"what goes back through {what} is not linear in the error that came; where that "
                "is on purpose, let `has_jacobian` be False",
            )


def _back_propagation_as_autograd_has_it(bench: _Bench) -> None:
    problem, params = bench.problem, bench.params()
    for trial, row in ((0, 0), (1, 1)):
        sequence = bench.sequences().one(trial, row)
        ours = BPTT()(problem, params, sequence).gradient
        for name, theirs in _by_autograd(problem, params, sequence).items():
            require_close(
                ours[name],
                theirs,
                1e-10,
                f"BPTT and autograd through the unrolled loop disagree on {name}",
            )


CLAIMS = {
    "a cell is a frozen value that its repr tells whole": _a_value_told_by_its_repr,
    "the same seed gives the same parameters": _the_same_start_for_the_same_seed,
    "state and output are vectors of the stated sizes": _vectors_of_the_stated_sizes,
    "numbers have the type of the parameters": _the_type_of_the_parameters,
    "step and read are pure": _pure_functions,
    "step and read can be mapped, differentiated and traced": _traced_once_for_all_numbers,
    "a sequence goes its way alone as among others": _alone_as_among_others,
    "the derivative is the one of finite differences": _the_derivative_of_finite_differences,
    "what goes back is linear in the error": _linear_in_the_error,
    "BPTT equals autograd through the unrolled loop": _back_propagation_as_autograd_has_it,
}
"""What a cell promises, and the check of each promise."""


def _two(bench: _Bench, seeds: tuple[int, int]) -> tuple[Params, Tensor, Tensor]:
    """Two moments side by side."""
    (params, state, x), (others, other_state, other_x) = (bench.moment(it) for it in seeds)
    both = stacked([params, others])
    return both, torch.stack([state, other_state]), torch.stack([x, other_x])


def _with_derivatives(function: Function) -> Callable[..., tuple[Tensor, ...]]:
    """The function, with the derivative of the sum of what it gives."""

    def both(params: Params, state: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        value = function(params, state, x)
        of_params, of_state, of_x = vjp(function, params, state, x)[1](torch.ones_like(value))
        return value, *of_params.values(), of_state, of_x

    return both


def _of_tensors(function: Function, names: list[str]) -> Callable[..., Tensor]:
    """The same function of the parameters one by one, the state and the input."""
    return lambda *leaves: function(dict(zip(names, leaves[:-2], strict=True)), *leaves[-2:])


def _by_autograd(problem: Problem, params: Params, sequence: Sequences) -> Params:
    """The gradient as torch has it, through a plain loop over the steps."""
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    state, error = problem.cell.start(leaves), torch.zeros((), dtype=torch.float64)
    for t in range(sequence.steps):
        x = sequence.inputs[t]
        state = problem.cell.step(leaves, state, x)
        output = problem.cell.read(leaves, state, x)
        error = error + sequence.scored[t] * problem.task.loss(output, sequence.targets[t])
    found = torch.autograd.grad(error, list(leaves.values()), materialize_grads=True)
    return dict(zip(leaves, found, strict=True))
