"""The slow, obvious reference: a recurrent layer as a Python loop, and autograd through it.

Each state is one tensor, cat([h, c]) for an LSTM, which is retained; every block of it is read from
that tensor. Rows of unequal length are run one by one. Nothing is shared with the replay that it is
held against: the equations stand here a second time, in the words of PyTorch's manual.

Axes: T steps, B rows, N state, I input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Unrolled:
    """`states[layer, direction][t]` [B, N] is the state after reading step t of the data."""

    output: Tensor
    states: dict[tuple[int, int], list[Tensor]]
    weights: dict[str, Tensor]

    def adjoints(self, error: Tensor) -> dict[tuple[int, int], Tensor]:
        """dE/dstate for each layer and direction, [T, B, N]; zeros where there is no path."""
        flat = [state for states in self.states.values() for state in states]
        found = torch.autograd.grad(error, flat, retain_graph=True, materialize_grads=True)
        steps = len(self.output)
        return {
            key: torch.stack(found[number * steps : (number + 1) * steps])
            for number, key in enumerate(self.states)
        }


def unroll(
    layer: nn.RNNBase, x: Tensor, start: Sequence[Tensor] = (), masks: Sequence[Tensor] = ()
) -> Unrolled:
    """Run `layer` over x [T, B, I] step by step.

    Args:
        layer: an nn.RNN, nn.LSTM or nn.GRU.
        x: time first, whatever the layer's batch_first.
        start: h_0, or h_0 and c_0, as the layer takes them.
        masks: dropout masks on the input of each layer above the first.
    """
    weights = {name: p.detach().clone().requires_grad_() for name, p in layer.named_parameters()}
    directions = 2 if layer.bidirectional else 1
    states: dict[tuple[int, int], list[Tensor]] = {}
    for number in range(layer.num_layers):
        if number and masks:
            x = x * masks[number - 1]
        outputs = []
        for d in range(directions):
            suffix = f"_l{number}{'_reverse' if d else ''}"
            own = {k.removesuffix(suffix): w for k, w in weights.items() if k.endswith(suffix)}
            if not d:
                own = {k: w for k, w in own.items() if not k.endswith("_reverse")}
            width = own["weight_hh"].shape[1]
            blank = [x.new_zeros(x.shape[1], width)]
            if isinstance(layer, nn.LSTM):
                blank.append(x.new_zeros(x.shape[1], layer.hidden_size))
            given = [s[number * directions + d] for s in start] or blank
            state = torch.cat(given, 1).requires_grad_()
            chain: list[Tensor | None] = [None] * len(x)
            order = range(len(x) - 1, -1, -1) if d else range(len(x))
            for t in order:
                state = _step(layer, own, x[t], state, width)
                chain[t] = state
            kept = [s for s in chain if s is not None]
            states[number, d] = kept
            outputs.append(torch.stack([s[:, :width] for s in kept]))
        x = torch.cat(outputs, -1)
    return Unrolled(x, states, weights)


def _step(
    layer: nn.RNNBase, own: dict[str, Tensor], x: Tensor, state: Tensor, width: int
) -> Tensor:
    """One step of the layer's equations."""
    from_x = x @ own["weight_ih"].T
    from_h = state[:, :width] @ own["weight_hh"].T
    if "bias_ih" in own:
        from_x, from_h = from_x + own["bias_ih"], from_h + own["bias_hh"]
    if isinstance(layer, nn.LSTM):
        i, f, g, o = (from_x + from_h).chunk(4, 1)
        c = torch.sigmoid(f) * state[:, width:] + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        if "weight_hr" in own:
            h = h @ own["weight_hr"].T
        return torch.cat([h, c], 1)
    if isinstance(layer, nn.GRU):
        r_x, z_x, n_x = from_x.chunk(3, 1)
        r_h, z_h, n_h = from_h.chunk(3, 1)
        r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
        return (1 - z) * torch.tanh(n_x + r * n_h) + z * state
    net = from_x + from_h
    return torch.relu(net) if layer.nonlinearity == "relu" else torch.tanh(net)
