"""The contract of a cell finds what is broken, and says which claim and how."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from farback.cells import LatchingNeuron
from farback.cells._cell import Cell
from farback.errors import WrongUsage
from farback.testing import ContractBroken, check_cell
from farback.types import Params


@dataclass(frozen=True)
class Sound(Cell):
    """A leaky sum of the inputs; the others break one thing each."""

    leak: float = 0.5

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {
            "input": torch.rand(2, inputs, generator=generator, dtype=torch.float64),
            "readout": torch.rand(outputs, 2, generator=generator, dtype=torch.float64),
        }

    def start(self, params: Params) -> Tensor:
        return params["input"].new_zeros(2)

    def layout(self, params: Params) -> dict[str, int]:
        return {"sum": 2}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return self.leak * state + params["input"] @ x

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["readout"] @ torch.tanh(state)


@dataclass(frozen=True)
class Forgetful(Sound):
    def __repr__(self) -> str:
        return "Forgetful(leak=0.1)"


@dataclass(frozen=True)
class Global(Sound):
    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {"input": torch.rand(2, inputs).double(), "readout": torch.rand(outputs, 2).double()}


@dataclass(frozen=True)
class Single(Sound):
    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        made = Sound().parameters(generator, inputs, outputs)
        return {name: value.float() for name, value in made.items()}


@dataclass(frozen=True)
class Uncounted(Sound):
    def layout(self, params: Params) -> dict[str, int]:
        return {"sum": 3}


@dataclass(frozen=True)
class Double(Sound):
    def start(self, params: Params) -> Tensor:
        return torch.zeros(2, dtype=torch.float64)


@dataclass(frozen=True)
class Writing(Sound):
    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return state.mul_(self.leak) + params["input"] @ x


@dataclass(frozen=True)
class Noisy(Sound):
    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return Sound().step(params, state, x) + 0 * torch.rand(2)


@dataclass(frozen=True)
class Looking(Sound):
    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return self.leak * state + (params["input"] @ x if x.sum() > 0 else 0)


@dataclass(frozen=True)
class Cut(Sound):
    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return self.leak * state.detach() + params["input"] @ x


@dataclass(frozen=True)
class Confessed(Cut):
    @property
    def exact(self) -> bool:
        return False


class Held(torch.autograd.Function):
    """A state whose errors are held in [-0.5, 0.5] on their way back."""

    generate_vmap_rule = True

    @staticmethod
    def forward(state: Tensor) -> Tensor:
        return state.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> Tensor:
        return slopes[0].clamp(-0.5, 0.5)


@dataclass(frozen=True)
class Holding(Confessed):
    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        held: Any = Held.apply(Sound().step(params, state, x))
        return held


@dataclass(frozen=True)
class Told(Holding):
    @property
    def has_jacobian(self) -> bool:
        return False


@dataclass(frozen=True)
class Remembering(Sound):
    steps: ClassVar[list[int]] = []

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        self.steps.append(1)
        return Sound().step(params, state, x) + len(self.steps)


BROKEN = [
    (Forgetful(), "a frozen value that its repr tells", "reads back as"),
    (Global(), "the same seed gives the same", "other parameters"),
    (Single(), "the same seed gives the same", "torch.float32"),
    (Uncounted(), "vectors of the stated sizes", r"start gives shape \(2,\), expected \(3,\)"),
    (Double(), "the type of the parameters", "float64 for parameters of torch.float32"),
    (Writing(), "step and read are pure", "writes into its arguments"),
    (Remembering(), "step and read are pure", "differs at the second call"),
    (Noisy(), "step and read are pure", "global generator"),
    (Looking(), "mapped, differentiated and traced", "it raised"),
    (Cut(), "the one of finite differences", "let `exact` be False"),
    (Holding(), "what goes back is linear", "back through step .* let `has_jacobian` be False"),
]


@pytest.mark.parametrize(("cell", "claim", "how"), BROKEN, ids=[repr(it[0]) for it in BROKEN])
def test_a_broken_cell_is_told_which_claim_it_breaks_and_how(
    cell: Cell, claim: str, how: str
) -> None:
    with pytest.raises(ContractBroken, match=f"(?s){claim}.*{how}"):
        check_cell(cell)


@pytest.mark.parametrize("cell", [Sound(), Confessed(), Told()], ids=repr)
def test_a_sound_cell_and_one_that_confesses_its_cut_pass(cell: Cell) -> None:
    check_cell(cell)


def test_what_is_no_cell_is_told_so() -> None:
    with pytest.raises(ContractBroken, match="a Linear came, expected a child of Cell"):
        check_cell(torch.nn.Linear(2, 2))  # type: ignore


def test_a_cell_that_cannot_have_these_sizes_says_so_itself() -> None:
    with pytest.raises(WrongUsage, match="one output"):
        check_cell(LatchingNeuron(), outputs=2)


def test_a_broken_contract_is_a_failed_comparison() -> None:
    assert ContractBroken.exit_code == 1
    assert issubclass(ContractBroken, AssertionError)
