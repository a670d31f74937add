"""Every operator that has a rule gives the numbers of torch, of few and many, however they lie."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from placed_operators import PLACED
from torch import Tensor
from torch_in_c import (
    LANES,
    LARGE,
    SMALL,
    SQUARE,
    Function,
    Kernels,
    alone,
    check,
    names,
    smooth,
    traced,
)

from farback.engine.native._operators import RULES

aten = torch.ops.aten
ROW, LONG = (14,), (70,)


def laid(function: Function) -> Function:
    """The function of few numbers and of many, transposed and in steps."""
    return lambda few, many: [function(few.T), function(many.T[1::2, ::3]), function(many)]


def each(function: Function) -> tuple[Any, ...]:
    """The function's values of what lies in all ways, and its gradient."""
    return smooth(lambda x, y: [function(x), function(y)], values=laid(function))


def paired(function: Function) -> Function:
    """The function of two tensors that are alike, or of which one is broadcast."""
    return lambda few, many, row: [
        function(row, many),
        function(many, many.flip(0)),
        function(few, few[:1]),
        function(many[:, :4], many[:, -4:].T[:1].T),
        function(many, many[2, 3]),
    ]


def two(function: Function) -> tuple[Any, ...]:
    """Its values, and its gradient where one of them is broadcast."""
    slopes = lambda x, y, row: [function(x.T, x[:, 1]), function(y, row)]  # noqa: E731
    return smooth(slopes, SMALL, LARGE, ROW, values=paired(function))


def positive(function: Function) -> Function:
    return lambda *given: function(*(it.abs() + 0.1 for it in given))


def within_one(function: Function) -> Function:
    return lambda *given: function(*(torch.tanh(it) * 0.9 for it in given))


def told(function: Function) -> tuple[Function, ...]:
    return paired(lambda x, y: function(x > 0.1, y < 0.2)), SMALL, LARGE, ROW


def rounded(x: Tensor) -> Tensor:
    return sum(torch.div(x.detach(), 0.3, rounding_mode=it) for it in ("floor", "trunc"))


def chosen(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(x > y, x * y, y - 1)


ONE = {
    name: each(getattr(torch, name))
    for name in [
        *"abs exp expm1 sigmoid tanh relu sin cos tan sinh cosh atan erf".split(),
        *"sign floor ceil trunc round".split(),
    ]
}
ONE |= {
    name: each(positive(getattr(torch, name)))
    for name in "log log2 log10 sqrt rsqrt reciprocal log1p".split()
}
ONE |= {name: each(within_one(getattr(torch, name))) for name in ("asin", "acos")}

TWO = {
    "add": two(lambda x, y: torch.add(x * y, y, alpha=3)),
    "sub": two(lambda x, y: x * y - torch.sub(y * 2.0, x, alpha=0.5)),
    "rsub": two(lambda x, y: torch.rsub(x * y, y, alpha=3) + (1 - x)),
    "mul": two(lambda x, y: x * y * (x > 0) * ((x > y) * (y > 0))),
    "div": two(lambda x, y: x / (y.abs() + 1) + x / 4 + 2 / (y.square() + 1) + y / 3 + rounded(x)),
    "neg": two(lambda x, y: -(x * y) + -x),
    "pow": two(lambda x, y: (x.abs() + 0.1) ** y + x**2 * y**3 + 1.7**y + x**0 * y**1),
    "maximum": two(torch.maximum),
    "minimum": two(torch.minimum),
    "where": two(chosen),
    "logical_and": told(torch.logical_and),
    "logical_or": told(torch.logical_or),
    "bitwise_and": told(torch.bitwise_and),
    "bitwise_or": told(torch.bitwise_or),
    "logical_not": told(lambda x, y: torch.logical_not(x) & y),
    "bitwise_not": told(lambda x, y: ~x | y),
    "eq": told(lambda x, y: x == y),
    "ne": told(lambda x, y: x != y),
    **{
        name: (paired(getattr(torch, name)), SMALL, LARGE, ROW) for name in ("lt", "le", "gt", "ge")
    },
}

REDUCED = {
    "sum": each(lambda x: [x.sum(), x.sum(-1), x.sum(0, keepdim=True) * (x > 0).sum()]),
    "prod": each(lambda x: [x.prod(), x.prod(-1), x.prod(0, keepdim=True)]),
    "mean": each(lambda x: [x.mean(), x.mean(-1), x.mean(0, keepdim=True)]),
    "var": each(lambda x: [x.var(), x.var(-1, correction=0), x.std(0)]),
    "cumsum": each(lambda x: [x.cumsum(0), x.cumsum(-1)]),
    "max": (laid(lambda x: [*x.max(-1), *x.max(0, keepdim=True)]), SMALL, LARGE),
    "amax": each(lambda x: [x.amax(), x.amax(-1), x.amax((0,), keepdim=True)]),
    "amin": each(lambda x: [x.amin(), x.amin(-1), x.amin((0,), keepdim=True)]),
    "all": (laid(lambda x: [(x > -1).all(-1), (x > -3).all(), (x > 0).all(0, True)]), SMALL, LARGE),
    "any": (laid(lambda x: [(x > 2).any(), (x > 1).any(-1), (x > 1).any(0, True)]), SMALL, LARGE),
    "argmax": (laid(lambda x: [x.argmax(), x.argmax(-1), x.argmax(0, True)]), SMALL, LARGE),
    "_softmax": each(lambda x: [x.softmax(-1), x.softmax(0)]),
    "_log_softmax": each(lambda x: [x.log_softmax(-1), x.log_softmax(0)]),
    "mv": smooth(
        lambda m, w, v: [m @ m[0], w @ v, w.T @ w[:, 0], (w * 2) @ (v * v)], SMALL, LARGE, ROW
    ),
    "mm": smooth(
        lambda m, w, v: [
            *(m @ m.T, m[:, 0] @ m, w @ w.T, w.T[:7] @ w, w[:4, :3].T @ w[:4]),
            v[:, None] @ v[None],
        ],
        SMALL,
        LARGE,
        ROW,
    ),
    "bmm": smooth(lambda m: torch.einsum("ijk,ikl->ijl", m, m.transpose(1, 2)), (2, 3, 4)),
    "dot": smooth(lambda v: v @ v + torch.dot(v[:3], v[3:6]), ROW),
}

BOUNDED = {
    "clamp": each(lambda x: [x.clamp(-0.5, 0.7), x.clamp(max=x.flip(0)), x.clamp(-0.1)]),
    "clamp_min": (laid(lambda x: aten.clamp_min(x, 0.2)), SMALL, LARGE),
    "clamp_max": (laid(lambda x: aten.clamp_max(x * 2, 0.2)), SMALL, LARGE),
    "isnan": (laid(lambda x: torch.isnan(x.log())), SMALL, LARGE),
    "isinf": (laid(lambda x: torch.isinf(1 / x.relu())), SMALL, LARGE),
}

MOVED = {
    "view": smooth(lambda x, y: [x.view(2, 6), y.view(-1) * 2], SMALL, LARGE),
    "_unsafe_view": smooth(lambda x, y: aten._unsafe_view(x, [6, 2]), SMALL, LARGE),
    "expand": smooth(lambda x, y: [x[:1].expand(5, 4), y[:, :1].expand(2, -1, 14)], SMALL, LARGE),
    "permute": smooth(lambda x: x.permute(-1, 0, 1), (2, 3, 4)),
    "transpose": smooth(lambda x: x.transpose(-1, 0) * 2, (2, 3, 4)),
    "t": smooth(lambda x, y: [x.t() * x.t(), y.t() + 1], SMALL, LARGE),
    "unsqueeze": smooth(
        lambda x, y: [x.unsqueeze(-1), y.unsqueeze(1), y.unsqueeze(-2)], SMALL, LARGE
    ),
    "squeeze": smooth(lambda x: [x.squeeze(), x.squeeze(-1), x.squeeze((0, 1))], (1, 3, 1)),
    "select": smooth(lambda x, y: [x.select(-1, -2), y[4], y[:, 3] * x[0, 0]], SMALL, LARGE),
    "slice": smooth(lambda x, y: [x[:, 1:-1], y[-5::2, 3:], y[20:]], SMALL, LARGE),
    "cat": smooth(
        lambda x, y: [
            torch.cat([x * x, x, torch.ones(2, 4), x[:0]], -2),
            torch.cat([y * y[:1], torch.zeros(5, 3), y[:, ::2] > 0], 1),
        ],
        SMALL,
        LARGE,
    ),
    "split": smooth(lambda x, y: [*x.split(3, -1), *(y * y).split(4)], SMALL, LARGE),
    "split_with_sizes": smooth(lambda x, y: [*x.split([1, 3], 1), *y.split([2, 3])], SMALL, LARGE),
    "unbind": smooth(lambda x, y: [*x.unbind(-1), *y.unbind()], SMALL, LARGE),
    "flip": smooth(lambda x, y: [x.flip(-1), y.flip((0, 1)) * y], SMALL, LARGE),
    "diagonal": smooth(
        lambda x, y: [x.diagonal(), y.diagonal(2), y.diagonal(-1, -1, 0)], SMALL, LARGE
    ),
    "index": (
        lambda x, y: [x[:, torch.tensor([2, 0, 0, -1])], y[torch.tensor([[4], [1]])]],
        SMALL,
        LARGE,
    ),
    "diagonal_scatter": smooth(lambda x: torch.diagonal_scatter(x * x, x[0, 1:], 1), SQUARE),
    "slice_scatter": smooth(lambda x: torch.slice_scatter(x, x[:, :2] * 3, 1, 1, 4, 2), SQUARE),
    "select_scatter": smooth(lambda x: torch.select_scatter(x, x[0] * x[1], -1, 2), SQUARE),
    "roll": smooth(lambda x, y: [x.roll(1, -1), y.roll((2, -3), (0, 1)), x.roll(5)], SMALL, LARGE),
    "copy": (lambda x: aten.copy(x, x[0]) * 2, SQUARE),
    "clone": smooth(lambda x: x.clone() * 2, SQUARE),
    "detach": smooth(lambda x: x.detach() * x, SQUARE),
    "_to_copy": smooth(lambda x: x * (x > 0).to(x.dtype) * torch.arange(5).to(x.dtype), SQUARE),
    "alias": smooth(lambda x: aten.alias(x) * 2, SQUARE),
}

MADE = {
    "zeros": smooth(lambda x: x + torch.zeros(5), SQUARE),
    "ones": smooth(lambda x: x * torch.ones(5, 1), SQUARE),
    "full": smooth(lambda x: x * torch.full((5,), 2.5), SQUARE),
    "zeros_like": smooth(lambda x: torch.zeros_like(x[0]) + x[1], SQUARE),
    "ones_like": smooth(lambda x: torch.ones_like(x) * x, SQUARE),
    "full_like": smooth(lambda x: torch.full_like(x, -0.25) * x, SQUARE),
    "new_zeros": smooth(lambda x: torch.cat([x.new_zeros(2, 5), x]), SQUARE),
    "new_ones": smooth(lambda x: torch.cat([x.new_ones(2, 5), x]), SQUARE),
    "new_full": smooth(lambda x: torch.cat([x.new_full((2, 5), 0.1), x]), SQUARE),
    "scalar_tensor": smooth(lambda x: torch.where(x > 0, x, torch.scalar_tensor(2.0)), SQUARE),
    "empty_permuted": smooth(torch.nn.functional.silu, SQUARE),
    "eye": smooth(lambda x: x @ (torch.eye(5).to(x) + torch.eye(7, 5)[2:].to(x)), SQUARE),
    "arange": smooth(lambda x: x * torch.arange(5) + torch.arange(1, 10, 2), SQUARE),
}

BACK = {
    "sigmoid_backward": (lambda g, y: aten.sigmoid_backward(g * g, y), LARGE, LARGE),
    "tanh_backward": (lambda g, y: aten.tanh_backward(g * y, y), LARGE, LARGE),
    "threshold_backward": (lambda g, y: aten.threshold_backward(g * g, y, 0.1), LARGE, LARGE),
    "_softmax_backward_data": (
        lambda g, y: aten._softmax_backward_data(g, y.softmax(-1), -1, torch.float64),
        LARGE,
        LARGE,
    ),
    "_log_softmax_backward_data": (
        lambda g, y: aten._log_softmax_backward_data(g, y.log_softmax(0), 0, torch.float64),
        LARGE,
        LARGE,
    ),
    "slice_backward": (lambda g: aten.slice_backward(g * g, [5, 9], 1, 0, 9, 2), SQUARE),
    "select_backward": (lambda g: aten.select_backward(g * g, [5, 3, 5], -2, -1), SQUARE),
}


def reduced(x: Tensor) -> list[Tensor]:
    rows = x.expand(2, -1) * torch.tensor([[1.0], [-0.5]], dtype=x.dtype)
    sums = [x.sum(), (x * x.cos()).sum(), rows.sum(-1), (x / 2 + 1).prod(), rows.amax(1), x.amin()]
    told = [(x > -9).all(), (x > 1).all(), (x > 9).any(), (rows > 1).any(-1)]
    return [*sums, *told, x - x.sum(), torch.where((x > 0).any(), x * 2, x)]


LOOPS = {"amax": (reduced, LONG)}
"""What is long enough to be put together by a loop, and what comes before and after it."""

GROUPS: dict[str, dict[str, tuple[Any, ...]]] = {
    "of one number": ONE,
    "of two numbers": TWO,
    "that reduce": REDUCED,
    "that reduce long rows": LOOPS,
    "that bound and test": BOUNDED,
    "that move numbers": MOVED,
    "that pick and put": PLACED,
    "that make constants": MADE,
    "of derivatives": BACK,
}

TAKEN_APART: dict[str, Function] = {
    "contiguous": lambda x: (x,),
    "lift_fresh_copy": lambda x: (x,),
    "isfinite": lambda x: (x,),
    "reshape": lambda x: (x, [2, -1]),
    "stack": lambda x: ([x, x], -1),
}
"""What torch does not hand on while it traces, with its arguments."""


def drawn(shapes: Iterable[tuple[int, ...]], seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(it, generator=generator, dtype=torch.float64) for it in shapes]


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_operators_give_the_numbers_of_torch(group: str, quick: None) -> None:
    cases = {name: (case[0], case[1:]) for name, case in GROUPS[group].items()}
    graphs = {name: traced(it, drawn(shapes, 0)) for name, (it, shapes) in cases.items()}
    kernels = Kernels(graphs)
    for name, (function, shapes) in cases.items():
        assert name in names(graphs[name][0])
        check(kernels, name, function, [drawn(shapes, seed) for seed in range(LANES)])


def test_operators_that_torch_takes_apart_give_its_numbers(quick: None) -> None:
    operators = {name: getattr(aten, name).default for name in TAKEN_APART}
    given = drawn([SMALL], 0)
    graphs = {name: alone(it, TAKEN_APART[name], given) for name, it in operators.items()}
    kernels = Kernels(graphs)
    for name, operator in operators.items():
        arguments = TAKEN_APART[name]
        lanes = [drawn([SMALL], seed) for seed in range(LANES)]
        check(kernels, name, lambda x, o=operator, a=arguments: o(*a(x)), lanes)


def test_every_operator_with_a_rule_is_tried() -> None:
    assert set().union(*GROUPS.values(), TAKEN_APART) == set(RULES)
