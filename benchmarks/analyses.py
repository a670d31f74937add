"""What the analyses of a motion cost, beside the method that others use.

    python benchmarks/analyses.py        measures everything, and writes results/analyses.json

Lyapunov exponents: the peers' method, written from the papers (Vogt et al. 2020; Engelken et al.
2023), makes the Jacobian of each step by autograd, multiplies it into the directions, and makes
them orthogonal after each step. Two forms of it: `mapped`, all rows of the Jacobian and of the
batch in one call of torch.func, and `looped`, one reverse pass for each entry of the state, as
public code does. Both get the joint state (h, c), float32 and all that ours gets. A peer's step
costs the same at any T, and so it is timed over a few.

The basins are those of a two-unit net on a grid of 512 x 512; the deep probe is everything that
depth "deep" runs, on an LSTM of 128 units, T = 200, B = 16.
"""

from __future__ import annotations

from statistics import median
from typing import Any

import torch
from _measuring import seconds, write
from torch import Tensor, nn
from torch.func import jacrev, vmap

import farback as fb
from farback.analyses import AdjointDecay, Basins, Lyapunov
from farback.flow import Measurement, Trace
from farback.flow.motion import Motion

HIDDEN, STEPS, ROWS = 256, 1000, 8
PEER_STEPS = {10: 20, None: 6}
"""How many steps of a peer are timed, by k."""


class Kept(AdjointDecay):
    """Keeps the trace, so that an analysis can be timed by itself."""

    of_motion = True
    traces: list[Trace] = []  # noqa: RUF012

    def measure(self, trace: Trace) -> Measurement:
        self.traces.append(trace)
        return AdjointDecay().measure(trace)


def path_of(steps: int) -> Any:
    """The one path of an LSTM on noise."""
    torch.manual_seed(0)
    layer = nn.LSTM(HIDDEN, HIDDEN)
    fb.probe(layer, torch.randn(steps, ROWS, HIDDEN), analyses=Kept(), depth="quick", chunk=50)
    return Kept.traces.pop().paths[0]


def peer_step(motion: Motion, p: int, directions: Tensor, *, mapped: bool) -> Tensor:
    """One step of the peers' method: directions [B, N, K] to those of the next."""
    state, x = motion.states[p], motion.inputs[p]

    def step(s: Tensor, x: Tensor) -> Tensor:
        return motion.step(s.unsqueeze(0), x.unsqueeze(0))[0]

    if mapped:
        jacobian = vmap(jacrev(step))(state, x)
    else:
        s = state.clone().requires_grad_()
        after = motion.step(s, x).sum(0)
        rows = [torch.autograd.grad(one, s, retain_graph=True)[0] for one in after]
        jacobian = torch.stack(rows, 1)
    q, r = torch.linalg.qr(jacobian @ directions)
    r.diagonal(dim1=-2, dim2=-1).abs().log()
    return q


def peer(motion: Motion, k: int | None, *, mapped: bool) -> float:
    """The median time of one of its steps."""
    size = motion.states.shape[-1]
    directions = torch.linalg.qr(torch.randn(ROWS, size, k or size)).Q
    times = []
    for p in range(PEER_STEPS[k]):
        times.append(seconds(lambda: peer_step(motion, p, directions, mapped=mapped)))  # noqa: B023
        directions = peer_step(motion, p, directions, mapped=mapped)
    return median(times)


def lyapunov(path: Any, k: int | None) -> dict[str, float]:
    """Seconds a step of ours and of the peers, one after the other in one run."""
    mapped = peer(path.motion, k, mapped=True)
    ours = seconds(lambda: Lyapunov(k=k)._fields(path.motion))
    looped = peer(path.motion, k, mapped=False)
    return {
        "ours_seconds_at_T_1000": round(ours, 3),
        "ours_ms_a_step": round(1e3 * ours / STEPS, 3),
        "mapped_ms_a_step": round(1e3 * mapped, 3),
        "looped_ms_a_step": round(1e3 * looped, 3),
        "times_mapped": round(mapped * STEPS / ours, 2),
        "times_looped": round(looped * STEPS / ours, 2),
    }


def by_length() -> dict[str, float]:
    """Seconds of ours by T, which should double with it."""
    found = {}
    for steps in (250, 500, 1000, 2000):
        path = path_of(steps)
        found[f"T_{steps}"] = round(
            median(seconds(lambda: Lyapunov(k=10)._fields(path.motion)) for _ in range(3)),  # noqa: B023
            3,
        )
    return found


def basins() -> float:
    """Seconds of the basins of a two-unit net on 512 x 512 places."""
    weight = torch.tensor([[1.6, -0.4], [0.3, 1.4]], dtype=torch.float64)
    subject = fb.probes.StepMap(
        lambda s, x: torch.tanh(s @ weight.t() + x), torch.zeros(2, dtype=torch.float64)
    )
    batch = 0.1 * torch.randn(4, 30, 2, dtype=torch.float64), None

    def with_(*analyses: Any) -> float:
        return seconds(
            lambda: fb.probe(subject, batch, loss=lambda s, _: s.sum(), analyses=analyses)
        )

    with_(Basins(resolution=512))
    times = [with_(Basins(resolution=512)) - with_(AdjointDecay()) for _ in range(5)]
    return round(median(times), 3)


def deep() -> dict[str, float]:
    """Seconds of the whole deep probe."""
    torch.manual_seed(0)
    net = Reader()
    batch = torch.randn(16, 200, 32), torch.randn(16, 1)
    times = [
        seconds(lambda: fb.probe(net, batch, loss=nn.functional.mse_loss, depth="deep"))
        for _ in range(3)
    ]
    return {"seconds": round(median(times), 2), "slowest": round(max(times), 2)}


class Reader(nn.Module):
    """An LSTM whose last output is read."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def main() -> None:
    path = path_of(STEPS)
    write(
        "analyses",
        {
            "lyapunov_lstm_256_B_8_k_10": lyapunov(path, 10),
            "lyapunov_lstm_256_B_8_k_all": lyapunov(path, None),
            "lyapunov_by_T_seconds": by_length(),
            "basins_512_seconds": basins(),
            "deep_probe_lstm_128_T_200_B_16": deep(),
        },
    )


if __name__ == "__main__":
    main()
