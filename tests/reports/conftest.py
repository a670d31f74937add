"""Profiles and runs made by hand, with every feature that a report may meet."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from made_runs import LSTM, make_run

from farback import flow
from farback.experiments._comparison import Comparison
from farback.experiments._line import Line
from farback.flow import (
    Chart,
    Finding,
    Mark,
    Measurement,
    Number,
    Plane,
    Profile,
    Remedy,
    Series,
    Verdict,
)
from farback.results import Runs
from farback.results.claim import Claim, compare

LN10 = math.log(10)


def _decay(rate: float, lags: np.ndarray, *, dies_at: int | None = None) -> dict[str, object]:
    wobble = 0.35 * np.sin(lags / 3.1) * np.sqrt(lags / lags.max())
    log_norm = -1.2 + rate * lags + wobble
    spread = 0.25 + 0.045 * lags * abs(rate) ** 0.5
    low, high = log_norm - spread, log_norm + spread
    if dies_at is not None:
        log_norm, low, high = (
            np.where(lags >= dies_at, -np.inf, part) for part in (log_norm, low, high)
        )
    return {
        "lags": lags,
        "log_norm": log_norm,
        "low": low,
        "high": high,
        "rate": rate,
        "rate_interval": (rate - 0.02, rate + 0.02),
        "half_life": math.log(2) / -rate if rate < 0 else None,
        "reach": int(min(lags.max(), 6.9 / abs(rate))),
        "reach_interval": (int(6.0 / abs(rate)), int(8.0 / abs(rate))),
    }


def make_profile(
    subject: str = "Reader: nn.LSTM(1, 64)",
    *,
    rate: float = -0.31,
    steps: int = 64,
    needs: int = 120,
) -> Profile:
    """A vanishing LSTM with three blocks and four analyses; the c block dies at lag 50."""
    lags = np.arange(steps, dtype=float)
    blocks = {
        "lstm.l0": Measurement("lstm.l0", "The whole state.", _decay(rate, lags)),
        "lstm.l0:h": Measurement("lstm.l0:h", "The h block.", _decay(rate * 1.15, lags)),
        "lstm.l0:c": Measurement(
            "lstm.l0:c", "The c block.", _decay(rate * 0.9, lags, dies_at=steps * 3 // 4)
        ),
    }
    whole = blocks["lstm.l0"].fields
    reach, half_life = whole["reach"], whole["half_life"]
    decay = Measurement(
        name="adjoint_decay",
        summary="The norm of the loss's adjoint, by the lag of the state that it reaches.",
        fields=whole,
        blocks=blocks,
        charts=(
            Chart(
                title="Adjoint norm by lag",
                x="lags",
                x_label="lag (steps before the loss)",
                y_label="log10 adjoint norm",
                unit="ln",
                series=(
                    Series("whole state", "log_norm", "low", "high", "lstm.l0"),
                    Series("h", "log_norm", "low", "high", "lstm.l0:h"),
                    Series("c", "log_norm", "low", "high", "lstm.l0:c"),
                ),
                lines=(
                    flow.Line("x", needs, f"needed lag {needs}"),
                    flow.Line("y", -7.22 * LN10, "float16 floor"),
                    flow.Line("y", -44.85 * LN10, "float32 floor"),
                ),
                caption="Median over 32 rows and one loss time.",
            ),
        ),
        numbers=(
            Number("half-life", f"{half_life:.1f} steps", "2.1 to 2.4"),
            Number("reach", f"{reach} steps", "at 1e-3; 19 to 25"),
            Number("rate", f"{rate:.2f} per step", "natural log"),
        ),
        conditions=("before clipping", "unscaled", "no masking"),
    )
    share = np.exp(rate * lags) * 0.92
    gradient = Measurement(
        name="weight_gradient_by_lag",
        summary="The recurrent weights' gradient, split into its summands by lag.",
        fields={"lags": lags, "far_share": share, "half_of_it_within": 3},
        charts=(
            Chart(
                title="Share of the weight gradient from beyond a lag",
                x="lags",
                x_label="lag",
                y_label="far share",
                unit="share",
                series=(Series("weight_hh_l0", "far_share"),),
            ),
        ),
        numbers=(Number("far share at 10", "4.1 %"),),
    )
    underflow = Measurement(
        name="underflow",
        summary="The first lag at which plain training arithmetic holds an exact zero.",
        fields={"lag": {"float16": 41, "bfloat16": None, "float32": None}},
        conditions=("predicted from the largest adjoint entry",),
    )
    return Profile(
        subject=subject,
        reading=f"read as batch=32, time={steps}, features=1",
        verdict=Verdict(
            word="vanishes",
            severity="bad",
            sentence=(
                f"vanishes: the error halves every {half_life:.1f} steps (2.1 to 2.4) and reaches "
                f"{reach} steps back; the task needs {needs}."
            ),
            remedies=(
                Remedy(
                    "Raise the forget gate's bias to 4.8.",
                    "Its mean is 0.73, which alone halves a memory every 2.2 steps; at 0.994 the "
                    "half-life is 120.",
                ),
                Remedy(
                    "Start the recurrent weights orthogonal.",
                    "Their spectral radius is 0.61, so each step back shrinks the error.",
                ),
            ),
            unchecked=(
                "each type's own arithmetic (depth standard predicts it)",
                "other batches than this one",
                "lags beyond 63",
            ),
        ),
        measurements={m.name: m for m in (decay, gradient, underflow)},
        findings=(
            Finding(
                "adjoint_decay",
                "The error vanishes.",
                f"rate {rate:.2f} per step",
                "bad",
                "vanishes",
            ),
            Finding(
                "weight_gradient_by_lag",
                "The far summands vanish, not the sum.",
                "4.1 % of the gradient comes from beyond lag 10",
                "watch",
                remedies=(
                    Remedy(
                        "Judge by the far share, not by the gradient's norm.", "The sum is 0.8."
                    ),
                ),
            ),
            Finding(
                "underflow", "float16 holds an exact zero from lag 41 on.", "predicted", "watch"
            ),
            Finding("truncation", "No cut was found.", "64 steps in one chain", "ok"),
        ),
        settings={
            "needs": needs,
            "depth": "standard",
            "loss_times": (steps - 1,),
            "seed": 0,
            "floor": 1e-3,
        },
        environment={"farback": "0.1.0", "torch": "2.13.0", "device": "cpu", "dtype": "float32"},
        notes=("The replay differs from the layer's own output by at most 1.2e-7.",),
    )


@pytest.fixture(scope="session")
def profile() -> Profile:
    return make_profile()


@pytest.fixture(scope="session")
def pair() -> tuple[Profile, Profile]:
    return (
        make_profile("Reader: nn.RNN(1, 64)", rate=-0.62),
        make_profile("Reader: nn.LSTM(1, 64)", rate=-0.045),
    )


@pytest.fixture(scope="session")
def silent() -> Profile:
    """A loss that ignores the sequence, and nothing measured."""
    return Profile(
        subject="Reader",
        reading="read as batch=1, time=1, features=1",
        verdict=Verdict("no signal", "bad", "no signal: the loss does not depend on the sequence."),
        measurements={},
    )


@pytest.fixture(scope="session")
def runs() -> Runs:
    """Two cells on two tasks: all solved, some diverged, none solved; one pair was never run."""
    gru = {"cell": "GRU(hidden=16, bias=True)", "task": "Adding(length=100)"}
    return Runs(
        (
            *(make_run(seed, sequences=300 + 100 * (seed % 4)) for seed in range(8)),
            *(
                make_run(seed, ("solved", "unsolved", "diverged")[seed % 3], task=gru["task"])
                for seed in range(9)
            ),
            *(make_run(seed, "unsolved", **gru) for seed in range(4)),
        )
    )


@pytest.fixture(scope="session")
def comparison(runs: Runs) -> Comparison:
    """A row within, one outside, one that only has words, and one of our own."""
    solved, mixed = runs.where(lambda run: run.trial.cell == LSTM)[:8], runs[8:17]
    some = Claim("solved", None, "table 1, row 1", words="some fraction")
    return Comparison(
        "Any1997Table",
        "Any 1997, table 1",
        "truncated=False",
        (
            Line("first", compare(Claim("solved", 1.0, "table 1, row 2"), solved)),
            Line("first", compare(Claim("sequences", 9000.0, "table 1, row 2"), solved)),
            Line("second", compare(some, mixed), "as the table prints it"),
            Line("ours", compare(Claim("solved", None, ""), mixed)),
        ),
    )


@pytest.fixture(scope="session")
def mapped(profile) -> Profile:
    """A profile with two planes: kinds of place, with what lies over them, and a quantity."""
    x, y = np.linspace(-2, 2, 200), np.linspace(-1, 1, 100)
    across, up = np.meshgrid(x, y)
    kind = np.where(across + up**2 > 0, 1.0, 0.0)
    kind[:5] = -1
    fields = {
        "x": x,
        "y": y,
        "kind": kind,
        "norm": across**2 + up**2 - 1,
        "log_loss": -(across**2 + up**2),
        "fixed": np.array([[-1.0, 0.0], [1.0, 0.0]]),
        "way": np.stack([np.linspace(0, 1, 30), np.linspace(0, 0.5, 30)], 1),
    }
    basins = Plane(
        "Basins",
        "x",
        "y",
        "kind",
        "state 1",
        "state 2",
        "basin",
        unit="class",
        classes=("to the first", "to <second>"),
        contours=(("norm of one", "norm"),),
        marks=(Mark("attractors", "fixed"), Mark("a row of the batch", "way", joined=True)),
    )
    loss = Plane("Loss", "x", "y", "log_loss", "along", "across", "loss", unit="ln")
    measurement = Measurement("basins", "Where each state goes.", fields, planes=(basins, loss))
    return replace(profile, measurements={**profile.measurements, "basins": measurement})
