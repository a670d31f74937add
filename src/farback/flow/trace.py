"""The trace of a probe: all that an analysis may know of a subject.

Axes: K loss times (each error E_k apart), T clock steps, B batch rows, Q lags 0, 1, ..., Q - 1.
Every norm is a natural log held in float64; -inf is a true zero, NaN was not measured (a row that
is shorter, a loss time with fewer steps behind it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from .landscape import Landscape
    from .motion import Motion

Logs = Float[np.ndarray, "K Q B"]


@dataclass(frozen=True)
class Gate:
    """A gate that scales what a unit keeps, over all steps and rows.

    `mean` is its mean value; `mean_log` [H] the mean natural log for each unit, which is the rate
    at which the gate alone lets that unit's memory fade.
    """

    name: str
    mean: float
    mean_log: np.ndarray
    bias: float | None


@dataclass(frozen=True)
class Path:
    """One chain of states: a layer and direction, a cell, a step map, or the input itself.

    `log_norm` holds the norm of the adjoint for the whole state under "" and for each named block;
    `log_peak` the log of its largest entry; `against` the norm at lags -1, -2, ... where the error
    also runs against the processing; `summands` the norm of the weight gradient's summand by lag
    for each parameter group [K, Q]; `row_norm` an upper bound on the norm of each row's own
    recurrent weight gradient; `gradient` the norm of the whole gradient of each loss time by the
    recurrent weights (all of a cell of the user's own) [K], where the motion was asked for.
    """

    name: str
    kind: str
    log_norm: Mapping[str, Logs]
    log_peak: Logs
    against: Logs | None = None
    summands: Mapping[str, Float[np.ndarray, "K Q"]] = field(default_factory=dict)
    row_norm: Float[np.ndarray, "K B"] | None = None
    gradient: Float[np.ndarray, " K"] | None = None
    gates: tuple[Gate, ...] = ()
    direction: int = 1
    spectral_radius: float | None = None
    cuts: tuple[int, ...] = ()
    cut_reason: str = ""
    motion: Motion | None = None
    unmoved: str = ""


@dataclass(frozen=True)
class Trace:
    """A subject's error flow over one batch; the axis K counts (loss time, draw) pairs.

    `paths` are the chains of states, `inputs` the places where the data enter. `loss_times` are
    clock steps; `steps` is T. `dtype` is the arithmetic of the trace, `model_dtype` that of the
    model. `rerun(name)` repeats the backward pass in the named type without any rescaling and
    returns a trace of plain training arithmetic. `landscape` is the loss over the parameters, or
    `flat` says why there is none; neither is made where it is not asked for.
    """

    subject: str
    paths: tuple[Path, ...]
    inputs: tuple[Path, ...]
    loss_times: tuple[int, ...]
    steps: int
    batch: int
    dtype: str
    model_dtype: str
    loss_text: str
    replay_difference: float = 0.0
    device: str = "cpu"
    draws: int = 1
    recurrent: bool = True
    needs: int | None = None
    floor: float = 1e-3
    deep: bool = False
    rerun: Callable[[str], Trace] | None = None
    landscape: Landscape | None = None
    flat: str = ""

    @property
    def moving(self) -> tuple[tuple[Path, Motion], ...]:
        """The paths whose map is known, each with it."""
        return tuple((path, path.motion) for path in self.paths if path.motion is not None)
