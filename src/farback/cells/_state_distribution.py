"""What cells share whose state is a distribution over discrete states that an input moves.

    zeta_i(t) = sum_j phi_ij(x(t)) zeta_j(t-1),   zeta_0(0) = 1                             (1)
    y(t)      = m + sum_k (v_k - m) p_k(t),   p_k(t) = sum_i e_ik(x(t)) zeta_i(t)           (2)

phi_ij(x) is the probability of going from state j to state i under input x, e_ik(x) that state i
says class k, and v_k the target that names class k. With one output v_k is a number and m the mean
of them, so that a distribution which says nothing is read as neither. With one output for each
class v_k is one-hot and m = 0. Tensors have the state that is left first, `phi[j, i]`, so that rows
sum to 1.

phi comes in one of two kinds. A network for each state is a softmax over those that can follow,

    phi_.j(x) = softmax(W_j [x, 1])                                                         (3)

and a lookup table has one matrix of probabilities for each symbol of the input. Of one input the
symbol is how many `bounds` it exceeds; of several it is the largest. Where the graph has no edge,
phi is 0. All sequences start in state 0: a learned start is a state 0 that cannot be entered again.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, section 6; Y. Bengio, P. Frasconi, An Input Output HMM Architecture, 1994, section 2.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell, uniform


@dataclass(frozen=True)
class StateDistribution(Cell):
    """Discrete states, of which one is held with some probability.

    Args:
        states: n.
        bounds: where one input becomes another symbol, rising, for lookup tables; `()` for a table
            of one symbol, or of one for each of several inputs; None for networks.
        graph: for each state those that can follow it; None for all.
        targets: v_k of one output; None for one output for each class.
        width: weights of networks start uniform in [-width, width].
    """

    states: int = 2
    bounds: tuple[float, ...] | None = None
    graph: tuple[tuple[int, ...], ...] | None = None
    targets: tuple[float, ...] | None = (-0.8, 0.8)
    width: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, states=self.states)
        if self.bounds is not None and list(self.bounds) != sorted({*self.bounds}):
            raise WrongUsage(f"bounds came as {self.bounds}, expected rising numbers; try (0.0,).")
        if self.targets is not None and len({*self.targets}) < max(2, len(self.targets)):
            raise WrongUsage(
                f"targets came as {self.targets}, expected a number of its own for each of two "
                "classes or more; try targets=(-0.8, 0.8), or None for one output each."
            )
        everywhere = {*range(self.states)}
        if self.graph is not None and (
            len(self.graph) != self.states
            or not all(it and {*it} <= everywhere for it in self.graph)
        ):
            raise WrongUsage(
                f"graph came as {self.graph}, expected for each of the {self.states} states a "
                f"tuple of some of 0 to {self.states - 1}; try graph=None for all."
            )
        self.refuse()

    def refuse(self) -> None:
        """Refuse choices of a member's own that make no net.

        Raises:
            WrongUsage: what came, and what to try.
        """

    @property
    def free(self) -> bool:
        """Rows of tables sum to 1."""
        return self.bounds is None

    @property
    @abstractmethod
    def classes(self) -> int | None:
        """K; None where it is the task's number of outputs."""

    @abstractmethod
    def emission(self, params: Params, x: Float[Tensor, " I"]) -> Float[Tensor, "N K"]:
        """e_ik(x), in the type of the parameters."""

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """The transitions."""
        classes = self.classes or outputs
        expected = classes if self.targets is None else 1
        if outputs != expected:
            raise WrongUsage(
                f"{type(self).__name__} came with {outputs} outputs, expected {expected} for "
                f"targets={self.targets} and {classes} classes; try "
                f"targets={'(-0.8, 0.8)' if self.targets is None else None}."
            )
        if self.bounds and inputs != 1:
            raise WrongUsage(
                f"bounds came as {self.bounds} with {inputs} inputs, expected one input; try "
                "bounds=(), which takes the largest of several for the symbol."
            )
        edges = self._edges(torch.ones((), dtype=torch.float64))
        return {"transition": self.drawn(generator, inputs, edges)}

    def drawn(self, generator: torch.Generator, inputs: int, edges: Float[Tensor, "N K"]) -> Tensor:
        """For each state a distribution over K, by its input; over those alone that edges have.

        Returns:
            a table [symbol, N, K], its rows uniform numbers over their sum; or weights
            [N, K, I + 1], the bias last. Without inputs there is one symbol, or the bias alone.
        """
        if self.bounds is None:
            return uniform(generator, *edges.shape, inputs + 1, width=self.width)
        symbols = len(self.bounds) + 1 if inputs == 1 else max(inputs, 1)
        numbers = torch.rand(symbols, *edges.shape, generator=generator, dtype=torch.float64)
        return numbers * edges / (numbers * edges).sum(-1, keepdim=True)

    def layout(self, params: Params) -> dict[str, int]:
        return {"zeta": self.states}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        like = params["transition"]
        return torch.cat([like.new_ones(1), like.new_zeros(self.states - 1)])

    def transition(self, params: Params, x: Float[Tensor, " I"]) -> Float[Tensor, "N N"]:
        """phi, [from, to]."""
        given = params["transition"]
        return self.under(given, x, self._edges(given))

    def under(
        self, given: Tensor, x: Float[Tensor, " I"], edges: Float[Tensor, "N K"]
    ) -> Float[Tensor, "N K"]:
        """The distributions of `drawn` under an input."""
        if self.bounds is None:
            net = given[..., :-1] @ x + given[..., -1] if len(x) else given[..., -1]
            return torch.softmax(torch.where(edges > 0, net, -torch.inf), -1)  # (3)
        if not len(x):
            return edges * given[0]
        symbols = torch.arange(len(given), dtype=given.dtype, device=given.device)
        if len(x) == 1:
            bounds = torch.tensor(self.bounds, dtype=x.dtype, device=x.device)
            number = (x > bounds).to(given.dtype).sum()
        else:
            number = x.argmax().to(given.dtype)
        shown = (symbols == number).to(given.dtype)
        return edges * (shown @ given.flatten(1)).reshape(edges.shape)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        return state @ self.transition(params, x)  # (1)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        said = state @ self.emission(params, x)
        if self.targets is None:
            return said
        middle = sum(self.targets) / len(self.targets)
        off = torch.tensor([it - middle for it in self.targets], dtype=torch.float64).to(said)
        return (middle + said @ off).unsqueeze(0)  # (2)

    def _edges(self, like: Tensor) -> Float[Tensor, "N N"]:
        """1 from each state to those that can follow it, else 0."""
        follow = self.graph or (tuple(range(self.states)),) * self.states
        rows = [[float(to in after) for to in range(self.states)] for after in follow]
        return torch.tensor(rows, dtype=like.dtype, device=like.device)
