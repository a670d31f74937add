"""What is concluded, and what to try, where the numbers are given by hand."""

import dataclasses

import numpy as np
import pytest
import torch

from farback.analyses import AdjointDecay, Cliffs, Truncation
from farback.analyses._conclude import conclude
from farback.analyses.gate_memory import bias_for
from farback.flow import Finding, Path, Remedy, Trace
from farback.flow.landscape import Landscape


def trace(rate, *, needs=None, lags=40, alive=(40, 40, 40), **path):
    norms = np.arange(lags)[None, :, None] * rate + np.zeros((1, 1, 3))
    norms = np.where(np.arange(lags)[:, None] < np.array(alive), norms, -np.inf)
    own = Path("rnn.l0", "RNN", {"": norms}, norms, **path)
    return Trace(
        subject="made by hand",
        paths=(own,),
        inputs=(),
        loss_times=(lags - 1,),
        steps=lags,
        batch=3,
        dtype="float64",
        model_dtype="float64",
        loss_text="",
        needs=needs,
    )


def judged(analysis, given):
    return analysis.judge(analysis.measure(given))


@pytest.mark.parametrize(
    ("rate", "needs", "severity"),
    [
        (-0.5, None, "watch"),
        (-0.5, 13, "ok"),
        (-0.5, 14, "bad"),
        (0.0, None, "ok"),
        (0.0, 30, "ok"),
        (0.5, None, "bad"),
        (0.5, 5, "bad"),
    ],
)
def test_the_severity_is_that_of_the_reach_where_a_lag_is_needed(rate, needs, severity):
    assert judged(AdjointDecay(), trace(rate, needs=needs)).severity == severity


@pytest.mark.parametrize(("needs", "severity"), [(68, "ok"), (70, "bad")])
def test_a_need_beyond_the_batch_is_extrapolated_and_said_so(needs, severity):
    finding = judged(AdjointDecay(), trace(-0.1, needs=needs))
    assert finding.severity == severity
    assert "extrapolated" in finding.claim


@pytest.mark.parametrize("alive", [(6, 6, 6), (3, 6, 6)])
def test_an_error_that_is_zero_in_all_samples_is_called_so(alive):
    finding = judged(AdjointDecay(), trace(-0.1, alive=alive))
    assert finding.claim.startswith("the error is exactly zero beyond lag 5;")


@pytest.mark.parametrize(("alive", "furthest"), [((6, 6, 9), 8), ((6, 4, 40), 39)])
def test_an_error_that_is_zero_in_most_samples_is_not_called_zero(alive, furthest):
    finding = judged(AdjointDecay(), trace(-0.1, alive=alive))
    told = f"beyond lag 5 in at least half of the samples (in others it comes to lag {furthest});"
    assert told in finding.claim
    assert finding.word == "vanishes"


def test_a_radius_below_one_suggests_an_orthogonal_start():
    finding = judged(AdjointDecay(), trace(-0.5, spectral_radius=0.6))
    assert "orthogonal" in finding.remedies[0].what
    assert "0.6" in finding.remedies[0].why


def test_cuts_give_the_longest_stretch_between_them():
    cut = trace(-0.1, cuts=(10, 25), cut_reason="the state is detached from the graph")
    finding = judged(Truncation(), cut)
    assert finding.word == "truncated at 15"
    assert finding.severity == "watch"
    needed = dataclasses.replace(cut, needs=20)
    assert judged(Truncation(), needed).severity == "bad"


def test_a_cut_speaks_before_a_decay():
    findings = [
        Finding("adjoint_decay", "it decays", "", "watch", "vanishes", (Remedy("a", "b"),)),
        Finding("truncation", "it is cut", "", "watch", "truncated at 5", (Remedy("c", "d"),)),
    ]
    verdict = conclude(findings, ["x"])
    assert verdict.sentence == "truncated at 5: it is cut."
    assert [remedy.what for remedy in verdict.remedies] == ["c"]
    assert verdict.unchecked == ("x",)


def test_no_signal_speaks_before_all():
    findings = [
        Finding("truncation", "it is cut", "", "watch", "truncated at 5"),
        Finding("adjoint_decay", "nothing comes", "", "bad", "no signal"),
    ]
    assert conclude(findings, []).word == "no signal"


@pytest.mark.parametrize("half_life", [1, 10, 100, 1000])
def test_the_gate_of_a_suggested_bias_halves_in_that_many_steps(half_life):
    gate = 1 / (1 + np.exp(-bias_for(half_life)))
    assert gate**half_life == pytest.approx(0.5, rel=1e-9)


def test_beside_a_gradient_of_zero_there_is_a_wall_and_no_norm_to_clip_at():
    def loss(parameters):
        return 1000 * torch.relu(parameters[0] - 1.06).sum()

    level = Landscape(("theta",), (torch.ones(1).double(),), loss)
    analysis = Cliffs()
    finding = analysis.judge(analysis.measure(dataclasses.replace(trace(0.0), landscape=level)))
    assert "1e+03, up from zero" in finding.claim
    assert not finding.remedies
