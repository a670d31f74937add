"""Chunking: its lessons against a plain loop, whom they reach, and the share of surprises."""

from typing import Any

import pytest
import torch
from torch import Tensor

from farback.cells import Chunker, Elman, HistoryCompressor
from farback.cells._hierarchy import Hierarchy
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners import Chunking
from farback.learners._lessons import Watched, lessons
from farback.learners.updates import SGD
from farback.problem import CHUNK, Problem, Trials, unroll
from farback.tasks import NoiseFreeLag, Schmidhuber1992Lag
from farback.testing import check_learner
from farback.types import Params, Sequences

LAG, STRINGS = Schmidhuber1992Lag(steps=4), NoiseFreeLag(delay=5)
SEED = 1
WIDE: dict[str, Any] = {"width": 2.0, "tolerance": 0.55}
"""Wide enough for predictions that are sometimes right by chance."""


def watched(problem: Problem, params: Params, one: Sequences) -> Watched:
    """A sequence, and the states that it leads to."""
    one = one.padded(CHUNK)
    states = unroll(problem, params, one)
    return Watched(states, one.inputs, one.targets, one.scored, one.alive)


def taught(cell: Hierarchy, task: Any, **options: Any) -> tuple[Params, Params, Sequences, float]:
    """Parameters, the gradient of one sequence, the sequence, and the share of surprises."""
    problem = Problem(cell, task)
    params = problem.parameters(SEED)
    one = task.sample(Draws((SEED,), "training")).one(0, 0)
    learn = lessons(options["window"], options.get("imitate", True))(problem)
    found = learn(params, watched(problem, params, one))
    return params, found.gradient, one, float(found.shown[1]) / one.steps


def by_hand(
    problem: Problem, params: Params, one: Sequences, *, window: int, imitate: bool = True
) -> tuple[Params, float]:
    """The same by lists of each level's own steps, and autograd."""
    cell = problem.cell
    assert isinstance(cell, Hierarchy)
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    state, total = cell.start(params), torch.zeros((), dtype=torch.float64)
    own: list[list[tuple[Tensor, Tensor]]] = [[] for _ in cell.names]

    def said(level: int) -> Tensor:
        hidden = before = own[level][-window:][0][0]
        for _, seen in own[level][-window:]:
            before, hidden = hidden, cell.hidden_units(leaves, level, seen, hidden)
        return cell.output_units(leaves, level, own[level][-1][1], before, hidden)

    def off(one: Tensor, other: Tensor) -> Tensor:
        return ((one - other) ** 2).sum() / 2

    for t, x in enumerate(one.inputs[: one.steps]):
        before = cell.held(params, state)
        for level, shown in enumerate(cell.shown(params, state, x)):
            seen = cell.seen(level, before[level], x)
            if not shown:
                continue
            if own[level] and not cell.asked_next:
                total = total + off(said(level)[cell.asked(params, level).next], seen)
            own[level].append((before[level].hidden, seen))
        state = cell.step(params, state, x)
        after, asking = cell.held(params, state), bool(one.scored[t])
        for level in range(len(own)):
            asked = cell.asked(params, level)
            if asking and own[level]:
                total = total + problem.task.loss(said(level)[asked.target], one.targets[t])
            asking &= bool(cell.missed(after[level].outputs[asked.target], one.targets[t]))
        if imitate and cell.imitated is not None:
            above = torch.cat([after[1].hidden, after[1].outputs])[cell.imitated]
            total = total + off(said(0)[cell.asked(params, 0).above], above)
    found = torch.autograd.grad(total, list(leaves.values()), materialize_grads=True)
    return dict(zip(leaves, found, strict=True)), len(own[1]) / one.steps


CASES: list[tuple[Hierarchy, Any, dict[str, Any]]] = [
    (Chunker(hidden=3, chunker_hidden=2, **WIDE), LAG, {"window": 3}),
    (Chunker(hidden=3, chunker_hidden=2, **WIDE), LAG, {"window": 1}),
    (Chunker(hidden=3, chunker_hidden=2, **WIDE), LAG, {"window": 9, "imitate": False}),
    (Chunker(hidden=2, hidden_first=True, span=3.0, reset=0.5, **WIDE), LAG, {"window": 2}),
    (
        Chunker(hidden=2, hidden_first=True, outputs_imitated=False, asked_next=True, **WIDE),
        STRINGS,
        {"window": 3},
    ),
    (Chunker(tolerance=100.0), LAG, {"window": 3}),
    (HistoryCompressor(hidden=3, span=2.0, **WIDE), LAG, {"window": 3}),
]


@pytest.mark.parametrize(("cell", "task", "options"), CASES, ids=repr)
def test_the_lessons_are_those_of_a_plain_loop_over_each_levels_own_steps(
    cell: Hierarchy, task: Any, options: dict[str, Any]
) -> None:
    params, moved, one, share = taught(cell, task, **options)
    expected, surprising = by_hand(Problem(cell, task), params, one, **options)
    for name, value in expected.items():
        assert torch.allclose(moved[name], value, atol=1e-12), name
    assert share == pytest.approx(surprising)


def test_left_alone_the_automatiser_does_not_hear_of_the_chunker() -> None:
    cell = Chunker(hidden=3, chunker_hidden=2, **WIDE)
    params, moved, _, _ = taught(cell, LAG, window=3, imitate=False)
    above = cell.asked(params, 0).above
    assert not moved["automatiser_readout"][above].any()
    assert moved["automatiser_readout"][: above.start].any()
    assert taught(cell, LAG, window=3)[1]["automatiser_readout"][above].any()


def test_a_step_goes_down_the_gradient_and_counts_the_surprises() -> None:
    cell = Chunker(hidden=3, chunker_hidden=2, **WIDE)
    net, learner = Trials(Problem(cell, LAG)), Chunking(SGD(lr=0.5))
    before = net.parameters((SEED,), torch.float64)
    with running():
        memory = learner.init(net, before, (SEED,))
        sequences = LAG.sample(Draws((SEED,), "training"))
        learned = learner.step(net, before, memory, sequences)
    params, moved, _, share = taught(cell, LAG, window=3)
    for name, value in moved.items():
        assert torch.allclose(learned.params[name][0], params[name] - 0.5 * value), name
    assert float(learner.counted(learned.memory)["surprising"][0]) == pytest.approx(share)


@pytest.mark.parametrize("window", [1, 4])
def test_the_steps_that_are_taken_again_are_counted_as_passes(
    window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, taken = Chunker(hidden=3, chunker_hidden=2, **WIDE), [0]
    problem, own = Problem(cell, LAG), Chunker.hidden_units

    def counting(self: Chunker, *given: Any) -> Tensor:
        taken[0] += 1
        return own(self, *given)

    params = problem.parameters(SEED)
    one = watched(problem, params, LAG.sample(Draws((SEED,), "training")).one(0, 0))
    monkeypatch.setattr(Chunker, "hidden_units", counting)
    lessons(window, True)(problem)(params, one)
    again = taken[0] / len(cell.names) / (len(one.inputs) / CHUNK)  # a call takes CHUNK steps
    passes = Chunking(window=window).passes({}, 1)
    assert tuple(passes) == (1 + again, again)


def test_chunking_keeps_the_contract() -> None:
    cell = Chunker(hidden=3, span=5.0)
    check_learner(Chunking(window=2), Problem(cell, LAG), unfit=Problem(Elman(), LAG))


def test_one_target_alone_wants_a_tolerance() -> None:
    # Its 1 would never be missed, and its 0 always, whatever the automatiser says.
    cell, symbols = Chunker(tolerance=None), Problem(Chunker(tolerance=None), STRINGS)
    Chunking().fits(symbols)
    with pytest.raises(WrongUsage, match="tolerance=None came with 1 output to be taught"):
        Chunking().fits(Problem(cell, LAG))


def test_a_window_without_a_step_is_refused() -> None:
    with pytest.raises(WrongUsage, match="window came as 0"):
        Chunking(window=0)
