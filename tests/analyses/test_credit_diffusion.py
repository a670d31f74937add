"""Ergodicity coefficients: their laws, the paper's four graphs, and who is Markovian."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import farback as fb
from farback import analyses, cells, tasks
from farback.analyses._ergodicity import coefficients
from farback.errors import InputRefused, WrongUsage

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")

drawing = st.tuples(st.integers(2, 6), st.integers(1, 8), st.integers(0, 2**31), st.booleans())


def stochastic(n, count, seed, *, sparse=False):
    random = np.random.default_rng(seed)
    entries = random.random((count, n, n)) * (random.random((count, n, n)) > 0.4 * sparse)
    entries += np.eye(n) * 1e-3  # no row without an entry
    return list(entries / entries.sum(-1, keepdims=True))


def dobrushin(matrix):
    """The slow reference: (3) as it is written."""
    pairs = [(one, other) for one in matrix for other in matrix]
    return max(np.abs(one - other).sum() for one, other in pairs) / 2


def birkhoff(matrix):
    """The slow reference: (4) as it is written."""
    if (matrix == 0).any():
        return 1.0 if (matrix[:, matrix.max(0) > 0] == 0).any() else math.nan
    ratios = [np.log(one / other) for one in matrix for other in matrix]
    return math.tanh(max(np.ptp(ratio) for ratio in ratios) / 4)


@given(drawing)
def test_the_coefficients_are_those_of_the_product(drawn):
    n, count, seed, sparse = drawn
    matrices = stochastic(n, count, seed, sparse=sparse)
    found, product = np.exp(coefficients(matrices)), np.eye(n)
    for lag, matrix in enumerate(matrices, 1):
        product = matrix @ product
        expected = dobrushin(product), birkhoff(product)
        assert found[:, lag] == pytest.approx(expected, rel=1e-6, abs=1e-12, nan_ok=True)


@given(drawing)
def test_the_coefficients_lie_between_zero_and_one(drawn):
    n, count, seed, sparse = drawn
    assert (coefficients(stochastic(n, count, seed, sparse=sparse)) <= 0).all()


@given(drawing, st.integers(0, 8))
def test_the_coefficients_of_a_product_are_at_most_the_products_of_them(drawn, cut):
    n, count, seed, sparse = drawn
    matrices = stochastic(n, count, seed, sparse=sparse)
    near, far = matrices[:cut], matrices[cut:]
    parts = sum(coefficients(part)[:, -1] for part in (near, far) if part)
    assert (coefficients(matrices)[:, -1] <= parts + 1e-9).all()


@given(drawing)
def test_equal_rows_and_they_alone_give_zero(drawn):
    n, _, seed, _ = drawn
    (other,) = stochastic(n, 1, seed)
    equal = np.tile(other[0], (n, 1))
    assert (coefficients([equal])[:, -1] == -np.inf).all()
    assert (coefficients([other])[:, -1] > -np.inf).all()


@given(drawing)
def test_what_the_adjoint_says_of_the_states_is_bounded_by_dobrushin(drawn):
    n, count, seed, sparse = drawn
    matrices = stochastic(n, count, seed, sparse=sparse)
    adjoint = np.random.default_rng(seed).normal(size=n)
    bounds = np.exp(coefficients(matrices)[0]) * np.ptp(adjoint)
    for matrix, bound in zip(matrices, bounds[1:], strict=True):
        adjoint = matrix @ adjoint
        assert np.ptp(adjoint) <= bound * (1 + 1e-6) + 1e-12


def test_nothing_underflows():
    matrix = np.array([[0.75, 0.25], [0.25, 0.75]])  # eigenvalues 1 and 1/2
    found = coefficients([matrix] * 3000)
    assert found[0] == pytest.approx(-np.arange(3001) * math.log(2), rel=1e-12)
    assert found[1, -1] == pytest.approx(-3000 * math.log(2), abs=1)


def test_states_that_are_left_for_good_do_not_spoil_the_rest():
    matrix = np.array([[0.5, 0.3, 0.2], [0.0, 0.6, 0.4], [0.0, 0.3, 0.7]])
    found = coefficients([matrix] * 2500)
    assert found[0, -1] - found[0, -2] == pytest.approx(math.log(0.5), rel=1e-9)


# Figure 2 of the paper, as replicated in float64 beforehand: mean ln tau_1 over 20 runs at t = 1,
# 4, 10, 20, entries uniform, rows normalised, 8 states.
GRAPHS = {
    "full": (np.ones((8, 8)), (-0.7, -5.2, -15.2, -31.7)),
    "upper triangular": (np.triu(np.ones((8, 8))), (-0.08, -1.3, -5.5, -14.0)),
    "upper bidiagonal": (np.eye(8) + np.eye(8, k=1), (0, 0, -0.16, -3.2)),
    "period 4": (np.kron(np.roll(np.eye(4), 1, 1), np.ones((2, 2))), (0, 0, 0, 0)),
}


def chain(graph, runs=20, steps=30, seed=0):
    """A step map whose input is the transition matrix itself, one draw for each row and step."""
    drawn = torch.rand(runs, steps, 8, 8, generator=torch.Generator().manual_seed(seed)).double()
    drawn = drawn * torch.tensor(graph)
    xs = (drawn / drawn.sum(-1, keepdim=True)).flatten(2)

    def step(p, x):
        return torch.einsum("bi,bij->bj", p, x.unflatten(-1, (8, 8)))

    return fb.probes.StepMap(step, start=torch.full((8,), 1 / 8).double()), (xs, None)


def diffused(graph, **choices):
    subject, batch = chain(graph, **choices)
    asked = analyses.CreditDiffusion(rows=20)
    weights = torch.arange(8.0).double()
    profile = fb.probe(subject, batch, loss=lambda p, _: (p @ weights).sum(), analyses=asked)
    return profile["credit_diffusion"]


@pytest.mark.slow
def test_the_four_graphs_stand_in_the_order_of_the_paper():
    curves = [diffused(graph).log_dobrushin for graph, _ in GRAPHS.values()]
    assert all((lower <= upper).all() for lower, upper in itertools.pairwise(curves))
    assert curves[0][-1] < curves[1][-1] < curves[2][-1] < curves[3][-1] + 1e-12


@pytest.mark.parametrize("graph", GRAPHS)
def test_the_curves_of_the_four_graphs_are_those_replicated(graph):
    edges, published = GRAPHS[graph]
    _, (xs, _) = chain(edges)
    runs = np.stack([coefficients(row.unflatten(-1, (8, 8)).flip(0).numpy())[0] for row in xs])
    ours, deviation = runs.mean(0), runs.std(0, ddof=1)
    for lag, theirs in zip((1, 4, 10, 20), published, strict=True):
        # two means over 20 runs, and a figure that was rounded
        within = 3 * math.sqrt(2 / 20) * deviation[lag] + (0.05 if abs(theirs) > 0.5 else 0.005)
        assert ours[lag] == pytest.approx(theirs, abs=within)


def laboratory(cell, task):
    params = cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs)
    net = fb.probes.LaboratoryCell(cell, task, params)
    return net, net.batch(4), net.loss


@pytest.mark.parametrize(
    "cell",
    [
        cells.StateNetwork.parity(bounds=(0.0,)),
        cells.StateNetwork.two_sequence(),
        cells.IOHMM(states=3, bounds=(0.0,)),
    ],
    ids=["lookup table", "left to right", "IOHMM"],
)
def test_the_state_networks_of_the_laboratory_are_markovian(cell):
    model, batch, loss = laboratory(cell, tasks.Parity())
    profile = fb.probe(model, batch, loss=loss, depth="deep", analyses=["credit_diffusion"])
    found = profile["credit_diffusion"]
    assert found.log_dobrushin[0] == 0 and found.states == cell.states
    assert (np.diff(found.log_dobrushin) <= 1e-12).all()


def test_a_network_in_float32_is_markovian_too():
    model, batch, loss = laboratory(cells.StateNetwork.two_sequence(), tasks.Parity())
    model, batch = model.float(), (batch[0].float(), batch[1])
    profile = fb.probe(model, batch, loss=loss, analyses=["credit_diffusion"])
    assert "credit_diffusion" in profile.measurements


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_other_nets_are_not(kind):
    asked = [analyses.AdjointDecay(), analyses.CreditDiffusion()]
    profile = fb.probe(kind(3, 4, num_layers=2), torch.randn(9, 2, 3), analyses=asked)
    assert "credit_diffusion" not in profile.measurements


def test_the_adjoint_levels_off_where_the_states_have_become_alike():
    found = diffused(GRAPHS["full"][0])
    assert found.log_adjoint[-1] > -2
    assert found.log_dobrushin[-1] < -40


def test_deterministic_transitions_lose_nothing():
    found = diffused(np.roll(np.eye(8), 1, 1))
    assert (found.log_dobrushin == 0).all()
    assert found.zeros == pytest.approx(7 / 8)


def test_a_need_beyond_which_states_are_alike_is_bad():
    subject, batch = chain(GRAPHS["full"][0])
    asked = {"loss": lambda p, _: p[:, 0].sum(), "analyses": ["credit_diffusion"]}
    (finding,) = fb.probe(subject, batch, needs=20, **asked).findings
    assert finding.severity == "bad" and "graph" in finding.remedies[0].what
    assert fb.probe(subject, batch, needs=2, **asked).findings[0].severity == "ok"


def test_a_subject_that_is_not_markovian_is_refused_where_nothing_else_is_asked():
    with pytest.raises(InputRefused, match="None of the analyses"):
        fb.probe(nn.GRU(3, 4), torch.randn(9, 2, 3), analyses=["credit_diffusion"])


def test_choices_that_make_no_sense_are_refused():
    with pytest.raises(WrongUsage, match="rows"):
        analyses.CreditDiffusion(rows=0)
