"""The sum over paths: term by term, by products, and the largest of them."""

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
from farback.analyses._path_sums import every_path, forward, largest, largest_by_lag, signed_sum
from farback.errors import WrongUsage

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")

small = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 2**31))


def drawn(n, q, seed, *, zeros=True):
    """J_{t-1} ... J_{t-q}, some entries of which are zero."""
    random = np.random.default_rng(seed)
    kept = random.random((q, n, n)) > (0.2 if zeros else 0)
    return list(random.normal(size=(q, n, n)) * kept)


def by_hand(jacobians, to, origin):
    """The slow reference: (1), one path after the other."""
    n, q = len(jacobians[0]), len(jacobians)
    found = {}
    for between in itertools.product(range(n), repeat=q - 1):
        units = (to, *between, origin)
        found[units] = math.prod(j[units[m], units[m + 1]] for m, j in enumerate(jacobians))
    return found


@given(small)
def test_the_paths_written_out_are_the_products_along_them(drawing):
    jacobians = drawn(*drawing)
    logs, signs = every_path(jacobians, 0, len(jacobians[0]) - 1)
    slow = by_hand(jacobians, 0, len(jacobians[0]) - 1)
    assert np.sort(signs * np.exp(logs)) == pytest.approx(np.sort([*slow.values()]), abs=1e-12)


@given(small)
def test_the_sum_over_all_paths_is_the_entry_of_the_product(drawing):
    jacobians = drawn(*drawing)
    log, sign = signed_sum(*every_path(jacobians, 0, 0))
    product = np.linalg.multi_dot([np.eye(len(jacobians[0])), *jacobians, np.eye(drawing[0])])
    assert sign * math.exp(log) == pytest.approx(product[0, 0], abs=1e-12)


@given(small)
def test_the_largest_paths_are_those_of_the_whole_list(drawing):
    jacobians = drawn(*drawing, zeros=False)
    slow = by_hand(jacobians, 0, 0)
    ordered = sorted(slow, key=lambda units: -abs(slow[units]))[:5]
    found = largest(jacobians, 0, 0, 5)
    assert [tuple(units) for units in found.units.tolist()] == ordered
    expected = [slow[units] for units in ordered]
    assert found.sign * np.exp(found.log) == pytest.approx(expected)


@given(small)
def test_the_largest_over_all_ends_is_the_largest_of_every_entry(drawing):
    jacobians = drawn(*drawing, zeros=False)
    ends = itertools.product(range(drawing[0]), repeat=2)
    best = max(max(map(abs, by_hand(jacobians, *pair).values())) for pair in ends)
    by_lag, to, origin = largest_by_lag(jacobians)
    assert by_lag[-1] == pytest.approx(math.log(best))
    assert max(map(abs, by_hand(jacobians, to, origin).values())) == pytest.approx(best)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_no_product_under_or_overflows(size):
    steps = [each * size for each in drawn(3, 100, 0, zeros=False)]
    plain = drawn(3, 100, 0, zeros=False)
    (rows, logs), (own, shown) = forward(steps, 0), forward(plain, 0)
    assert rows == pytest.approx(own)
    assert logs[-1] - shown[-1] == pytest.approx(100 * math.log(size))


def laboratory():
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.EmbeddedReber()
    params = cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs)
    net = fb.probes.LaboratoryCell(cell, task, params)
    return net, net.batch(3), net.loss


def layer(kind, **choices):
    torch.manual_seed(0)
    model = kind(3, 4, batch_first=True, **choices)
    return model, (torch.randn(2, 30, 3), None), lambda output, _: output[0][:, -1].square().sum()


def step_map():
    weights = torch.randn(4, 4, generator=torch.Generator().manual_seed(1)).double()
    subject = fb.probes.StepMap(
        lambda s, x: torch.tanh(s @ weights.T + x), start=torch.zeros(4).double()
    )
    xs = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(2)).double()
    return subject, (xs, None), lambda state, _: state.sum()


SUBJECTS = {
    "LSTM": lambda: layer(nn.LSTM),
    "GRU": lambda: layer(nn.GRU),
    "stacked": lambda: layer(nn.LSTM, num_layers=2, bidirectional=True),
    "laboratory": laboratory,
    "step map": step_map,
}


def probed(subject, **choices):
    model, batch, loss = SUBJECTS[subject]()
    asked = analyses.ErrorPaths(**choices)
    return fb.probe(model, batch, loss=loss, depth="deep", analyses=asked)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_terms_sum_to_the_entry_of_the_jacobian(subject):
    for found in probed(subject, lag=4)["error_paths"].blocks.values():
        assert found.written_out == pytest.approx(math.exp(found.log_count))
        assert found.sign_of_sum == found.sign
        assert found.log_sum == pytest.approx(found.log_entry, abs=1e-9)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_path_runs_through_some_block(subject):
    found = probed(subject)["error_paths"]
    through = [value for name, value in found.fields.items() if name.startswith("through_")]
    assert sum(through) == pytest.approx(np.ones(found.lag + 1))


def test_the_entry_is_that_of_autograd():
    found = probed("step map", lag=5, entry=(1, 2))["error_paths"]
    subject, (xs, _), _ = step_map()
    state = torch.zeros(2, 4).double()
    for x in xs[:, :25].unbind(1):
        state = subject.step(state, x)
    start = state[0].requires_grad_()
    after = start
    for x in xs[0, 25:]:
        after = subject.step(after, x)
    expected = torch.autograd.grad(after[1], start)[0][2]
    assert found.sign * math.exp(found.log_entry) == pytest.approx(float(expected), rel=1e-10)


def test_a_carousel_is_the_largest_path_and_stays_where_it_is():
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.3, 0.2], [0.0, 0.2, 0.3]]).double()
    subject = fb.probes.StepMap(lambda s, x: s @ weights.T + x, start=torch.zeros(3).double())
    batch = torch.zeros(1, 20, 3).double(), None
    asked = analyses.ErrorPaths(lag=12)
    profile = fb.probe(subject, batch, loss=lambda s, _: s.sum(), analyses=asked)
    found = profile["error_paths"]
    assert found.largest_path.tolist() == [0.0] * 13
    assert found.share_of_best[0] == pytest.approx(1.0)
    assert found.log_largest == pytest.approx(np.zeros(13))
    assert "stays in" in profile.findings[0].claim


def test_signs_that_undo_one_another_are_told_from_a_lack_of_paths():
    weights = torch.tensor([[1.0, 1.0], [-1.0, 1.0]]).double()  # a turn by 45 degrees, times sqrt 2
    subject = fb.probes.StepMap(lambda s, x: s @ weights.T + x, start=torch.zeros(2).double())
    batch = torch.zeros(1, 20, 2).double(), None
    asked = analyses.ErrorPaths(lag=2, entry=(0, 0))
    profile = fb.probe(subject, batch, loss=lambda s, _: s.sum(), analyses=asked)
    found = profile["error_paths"]
    assert found.log_entry == -np.inf
    assert found.left_by_cancellation == 0
    assert found.log_all == pytest.approx(math.log(2))


def test_paths_that_do_not_exist_are_a_true_zero():
    subject = fb.probes.StepMap(lambda s, x: 0.5 * s + x, start=torch.zeros(2).double())
    batch = torch.zeros(1, 9, 2).double(), None
    asked = analyses.ErrorPaths(lag=3, entry=(0, 1))
    profile = fb.probe(subject, batch, loss=lambda s, _: s.sum(), analyses=asked)
    assert "true zero" in profile.findings[0].claim


@pytest.mark.parametrize(
    ("choices", "said"),
    [({"lag": 31}, "30 steps"), ({"row": 2}, "2 rows"), ({"entry": (0, 4)}, "4 states")],
)
def test_choices_that_the_batch_does_not_have_are_refused(choices, said):
    with pytest.raises(WrongUsage, match=said):
        probed("step map", **choices)
