"""The LSTM of 1997: memory cells behind input and output gates, without a forget gate.

Block j holds `size` cells v that share one input gate and one output gate. With u over everything
that the hidden layer sees,

    s_v(t)   = s_v(t-1) + y_in(t) g(net_v(t))           (1)
    y_v(t)   = y_out(t) h(s_v(t))                       (2)
    net_l(t) = sum_u w_lu y_u(t-1) + bias_l             (3)   l: gates and cells
    output_k = f(sum_v w_kv y_v(t) + bias_k)            (4)

with f logistic, g in [-2, 2], h in [-1, 1]. The outputs read the cells of the same step, gates and
cells read the inputs of the same step and the gates and cells of the step before. Wiring F: outputs
see cells only; gates and cells see inputs, cells and gates. Wiring B, of experiment 2a: outputs see
the inputs too; gates and cells see inputs only.

Truncated, the derivative of net_in, net_out and net_c with respect to every y_u(t-1) is zero
(appendix A.1), so that the error goes back through s alone. In wiring B there is nothing to cut.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
appendix A.1 and tables 10 and 11. The caption of table 10 swaps the ranges of g and h; the text and
equations 4 and 5 of the appendix have them as here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell, biased, uniform
from .squashings._squashing import Squashing
from .squashings.logistic import Logistic

WIRINGS = ("F", "B")


@dataclass(frozen=True)
class LSTM1997(Cell):
    """Blocks of cells behind shared gates.

    Args:
        blocks: number of blocks.
        size: cells in each.
        width: weights start uniform in [-width, width].
        input_bias: None for input gates without a bias, () for random ones, else one value a block
            (random numbers in [-width, width] are added).
        output_bias: the same for the output gates; both kinds have biases or neither.
        cell_bias: whether the cells have a bias, random at the start.
        readout_bias: whether the outputs have one.
        output_gate: without it, y_v = h(s_v).
        wiring: F or B.
        truncated: cut the derivative as the paper does.
        reset: the activation of every unit before the first step; s starts at 0.
        links: whether cells see the gates and cells of the step before; gates always do in F.
        g: squashing of what a cell is given.
        h: squashing of what it holds.
        f: squashing of gates and outputs.
    """

    blocks: int = 2
    size: int = 1
    width: float = 0.1
    input_bias: tuple[float, ...] | None = ()
    output_bias: tuple[float, ...] | None = ()
    cell_bias: bool = False
    readout_bias: bool = False
    output_gate: bool = True
    wiring: str = "F"
    truncated: bool = True
    reset: float = 0.0
    links: bool = True
    g: Squashing = Logistic(-2, 2)
    h: Squashing = Logistic(-1, 1)
    f: Squashing = Logistic()

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, blocks=self.blocks, size=self.size)
        if self.wiring not in WIRINGS:
            raise WrongUsage(f"wiring came as {self.wiring!r}, expected F or B; try 'F'.")
        for name, biases in (("input_bias", self.input_bias), ("output_bias", self.output_bias)):
            if biases is not None and len(biases) not in (0, self.blocks):
                raise WrongUsage(
                    f"{name} came as {biases!r} for {self.blocks} blocks, expected a tuple with "
                    "one value a block; try () for random ones, None for none."
                )
        if self.output_gate and (self.input_bias is None) != (self.output_bias is None):
            raise WrongUsage(
                f"input_bias came as {self.input_bias} and output_bias as {self.output_bias}, "
                "expected None for both kinds of gates or for neither; try () for random ones."
            )

    @property
    def exact(self) -> bool:
        """Truncated, the derivative is not the whole one, unless nothing was there to cut."""
        return not self.truncated or self.wiring == "B"

    @property
    def _cells(self) -> int:
        return self.blocks * self.size

    @property
    def _gates(self) -> int:
        return self.blocks * (2 if self.output_gate else 1)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Weights [units, what they see] and biases: input gates, output gates, cells; readout.

        In wiring B `readout` holds what the outputs read of the cells, `shortcut` what they read of
        the inputs.
        """
        hidden = self._gates + self._cells
        seen = inputs + (hidden if self.wiring == "F" else 0)

        def weights(*shape: int) -> Tensor:
            return uniform(generator, *shape, width=self.width)

        params = {"hidden": weights(hidden if self.links else self._gates, seen)}
        if not self.links:
            params["cells"] = weights(self._cells, inputs)
        params["readout"] = weights(outputs, self._cells)
        if self.wiring == "B":
            params["shortcut"] = weights(outputs, inputs)
        if self.input_bias is not None:
            both = (self.input_bias, self.output_bias)[: self._gates // self.blocks]
            given = [value for it in both for value in it or (0.0,) * self.blocks]
            params["gate_bias"] = weights(self._gates) + torch.tensor(given, dtype=torch.float64)
        if self.cell_bias:
            params["cell_bias"] = weights(self._cells)
        if self.readout_bias:
            params["readout_bias"] = weights(outputs)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        """The state s of the cells, then the activations of cells and gates."""
        return {"s": self._cells, "y": self._cells, "gates": self._gates}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        """Empty cells, every unit at `reset`."""
        like = params["readout"]
        units = like.new_full((self._cells + self._gates,), self.reset)
        return torch.cat([like.new_zeros(self._cells), units])

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        """Equations (1) to (3)."""
        s, units = state[: self._cells], state[self._cells :]
        if self.truncated:
            units = units.detach()
        net = params["hidden"] @ (torch.cat([x, units]) if self.wiring == "F" else x)  # (3)
        net_cells = net[self._gates :] if self.links else params["cells"] @ x
        gates = self.f(biased(net[: self._gates], params, "gate_bias"))
        new = self.g(biased(net_cells, params, "cell_bias"))
        s = s + self._gated(gates[: self.blocks], new)  # (1)
        y = self.h(s)
        if self.output_gate:
            y = self._gated(gates[self.blocks :], y)  # (2)
        return torch.cat([s, y, gates])

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        """Equation (4)."""
        net = params["readout"] @ state[self._cells : 2 * self._cells]
        if self.wiring == "B":
            net = net + params["shortcut"] @ x
        return self.f(biased(net, params, "readout_bias"))

    def _gated(
        self, gates: Float[Tensor, " blocks"], cells: Float[Tensor, " cells"]
    ) -> Float[Tensor, " cells"]:
        """Every cell times the gate of its block."""
        if self.size == 1:
            return gates * cells
        return (gates.unsqueeze(1) * cells.unflatten(0, (self.blocks, self.size))).flatten()
