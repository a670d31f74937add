"""BFGS is the library's, on the mean error of a batch, one trial at a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch.func import grad_and_value

import farback as fb
from farback import cells, learners, tasks
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners import BFGS, gradients
from farback.learners._learner import Learned
from farback.problem import Problem, Trials
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences, flat, split_like

SMALL = Problem(LearnedStart(), Noise(steps=8))
SEEDS = (3, 8)
BATCH = 5


def drawn(seeds: tuple[int, ...] = SEEDS) -> Sequences:
    return SMALL.task.sample(Draws(seeds, "here", count=BATCH))


def learned(learner: BFGS, steps: int, change: dict[int, float] | None = None) -> list[Learned]:
    """Each of some steps on one batch; `change` scales the first parameters of some trials."""
    net = Trials(SMALL)
    with running():
        params, met = net.parameters(SEEDS, torch.float64), []
        for row, factor in (change or {}).items():
            params = {name: it.clone() for name, it in params.items()}
            params["W"][row] *= factor
        memory = learner.init(net, params, SEEDS)
        for _ in range(steps):
            met.append(learner.step(net, params, memory, drawn()))
            params, memory = met[-1].params, met[-1].memory
    return met


def error_of(params: Params, sequences: list[Sequences]) -> torch.Tensor:
    """The mean error of some sequences, by loops over them and their steps."""
    errors = []
    for one in sequences:
        state = SMALL.cell.start(params)
        for t in range(one.steps):
            state = SMALL.cell.step(params, state, one.inputs[t])
            output = SMALL.cell.read(params, state, one.inputs[t])
            errors.append(one.scored[t] * SMALL.task.loss(output, one.targets[t]))
    return torch.stack(errors).sum() / len(sequences)


@pytest.mark.parametrize("gradient", [gradients.BPTT(), gradients.RTRL()])
def test_a_step_is_the_librarys_search_with_the_inverse_hessian_carried_on(
    gradient: gradients.Gradient,
) -> None:
    found = learned(BFGS(batch=BATCH, iterations=4, gradient=gradient), 3)
    for trial, seed in enumerate(SEEDS):
        like = SMALL.parameters(seed)
        sequences = [drawn().one(trial, row) for row in range(BATCH)]

        def error(x: np.ndarray) -> tuple[float, np.ndarray]:
            params = split_like(torch.from_numpy(x.copy()), like)  # noqa: B023
            slope, value = grad_and_value(error_of)(params, sequences)  # noqa: B023
            return float(value), flat(slope).numpy()

        x, inverse, count = flat(like).numpy(), np.eye(len(flat(like))), 0
        for one in found:
            np.testing.assert_allclose(float(one.loss[trial].mean()), error(x)[0], rtol=1e-9)
            options = {"maxiter": 4, "hess_inv0": inverse}
            expected = minimize(error, x, jac=True, method="BFGS", options=options)
            x, count = expected.x, count + expected.nfev
            inverse = (expected.hess_inv + expected.hess_inv.T) / 2
            mine = flat({name: it[trial] for name, it in one.params.items()}).numpy()
            np.testing.assert_allclose(mine, x, rtol=0, atol=1e-7)
            assert float(one.memory["evaluations"][trial]) == count
        assert float(found[-1].memory["iterations"][trial]) == 12
        passes = BFGS(batch=BATCH, gradient=gradient).passes(found[-1].memory, 3 * BATCH)
        expected = count * BATCH, count * BATCH * gradient.backward_passes
        assert (float(passes[0][trial]), float(passes[1][trial])) == expected  # type: ignore


def test_a_search_at_its_end_stays_and_says_so() -> None:
    learner = BFGS(batch=BATCH, iterations=1000, tolerance=0.03)
    first, second, third = learned(learner, 3)
    count = learner.counted
    assert count(third.memory)["ended"].tolist() == [1.0, 1.0]
    assert all(torch.equal(it, second.params[name]) for name, it in third.params.items())
    assert torch.equal(third.memory["inverse"], second.memory["inverse"])
    asked = [count(it.memory)["evaluations"] for it in (first, second, third)]
    assert (asked[2] - asked[1]).tolist() == [1.0, 1.0]  # the error may have become another


def test_a_trial_whose_error_is_not_finite_diverges_alone() -> None:
    plain = learned(BFGS(batch=BATCH, iterations=3), 2)[-1]
    broken = learned(BFGS(batch=BATCH, iterations=3), 2, change={1: torch.nan})[-1]
    assert all(bool(it[1].isnan().all()) for it in broken.params.values())
    assert all(torch.equal(it[0], plain.params[name][0]) for name, it in broken.params.items())
    assert broken.memory["ended"].isnan().all()


def test_it_learns_a_fixed_set_and_a_trial_comes_out_the_same_among_others() -> None:
    task = tasks.Tomita(grammar=1, original=True, end=False)
    study, learner = (cells.SecondOrder(hidden=2, bias=True), task), BFGS(batch=16, iterations=2)
    options = {"sequences": 16 * 20, "check": 16, "group": 3, "dtype": "float64"}
    several, one = (
        fb.train(*study, learner, seeds=it, progress=False, **options) for it in ([0, 1, 2], [1])
    )
    assert [run.outcome for run in several] == ["solved"] * 3
    assert (several[1].measures, several[1].curve) == (one[0].measures, one[0].curve)
    assert several[0].measures["evaluations"] > several[0].measures["iterations"] > 0
    assert [run.backward for run in several] == [
        16 * run.measures["evaluations"] for run in several
    ]


@pytest.mark.parametrize(
    ("cell", "learner", "told"),
    [
        (cells.ThresholdNet(), BFGS(), "throw dice"),
        (cells.IOHMM(states=3, bounds=(0.0,)), BFGS(), "ExpectationMaximization"),
        (cells.Elman(), BFGS(gradient=gradients.TruncatedBPTT(5, 1)), "exact gradient"),
    ],
)
def test_what_has_no_error_to_descend_is_refused(
    cell: cells.Cell, learner: learners.Learner, told: str
) -> None:
    with pytest.raises(WrongUsage, match=told):
        learner.fits(Problem(cell, tasks.Parity()))


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"iterations": 0}, {"tolerance": -1.0}])
def test_a_number_out_of_its_range_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(WrongUsage, match=next(iter(wrong))):
        replace(BFGS(), **wrong)  # type: ignore
