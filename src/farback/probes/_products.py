"""Scaled errors through a piece of autograd graph, all loss times at once.

A vector-Jacobian product is linear. So an error whose parts differ by thousands of powers of two is
sent through in **bands** of similar size, each near one, and the results are added with their
exponents. The loss times go through together (vmap over the backward pass); a function that cannot
be mapped over is called for one after the other.

Axes: K loss times; every tensor of the graph has its own shape behind it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..flow.scaled import NOTHING, Scaled, add, normalise, scaled

_WIDTH = {torch.float64: 400, torch.float32: 48, torch.bfloat16: 48, torch.float16: 6}
_MOST_AT_ONCE = 2**26
"""Entries of gradients that one mapped backward pass may make."""


class Band(NamedTuple):
    """Errors of similar size: near one at each output, for the loss times `which`, times 2**top."""

    errors: list[Float[Tensor, "..."]]
    which: Int[Tensor, " k"]
    top: Int[Tensor, " k"]


Note = Callable[[Band, Sequence[Tensor | None]], None]
"""Receives the largest band of each loss time, and the products at the weights."""


def working(dtype: torch.dtype) -> torch.dtype:
    """The arithmetic in which errors at a tensor of `dtype` are held: never a half precision."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def through(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    errors: Sequence[Scaled],
    *,
    rescale: bool,
    weights: Sequence[Tensor] = (),
    note: Note = lambda band, products: None,
) -> list[Scaled]:
    """The errors [K, *shape] at `inputs` that follow from those at `outputs`."""
    draws = len(errors[0].mantissa)
    totals = [_blank(x, draws, rescale) for x in inputs]
    heard = torch.zeros(draws, dtype=torch.bool)
    dtype = min((x.dtype for x in outputs), key=lambda d: _WIDTH.get(d, 48))
    for band in bands(errors, dtype) if rescale else [_whole(errors)]:
        products = _products(outputs, [*inputs, *weights], band.errors)
        if weights and not bool(heard[band.which.cpu()].any()):
            note(band, products[len(inputs) :])
        heard[band.which.cpu()] = True
        for total, product in zip(totals, products, strict=False):
            if product is not None:
                _add(total, product, band, rescale)
    return totals


def bands(errors: Sequence[Scaled], dtype: torch.dtype) -> Iterator[Band]:
    """Split errors by size, for each loss time from its largest part downwards."""
    rest = [error.exponent.reshape(len(error.exponent), -1) for error in errors]
    while True:
        top = torch.cat(rest, 1).amax(1)
        which = (top > NOTHING // 2).nonzero().flatten()
        if not len(which):
            return
        level = top[which]
        parts = []
        for number, (error, left) in enumerate(zip(errors, rest, strict=True)):
            inside = left[which] > (level - _WIDTH.get(dtype, 48)).unsqueeze(1)
            shift = (left[which] - level.unsqueeze(1)).clamp(min=-2000).to(error.mantissa.dtype)
            factor = torch.where(inside, torch.exp2(shift), 0).view_as(error.exponent[which])
            parts.append(error.mantissa[which] * factor.unsqueeze(-1))
            rest[number] = left.index_put((which,), torch.where(inside, NOTHING, left[which]))
        yield Band(parts, which, level)


def _whole(errors: Sequence[Scaled]) -> Band:
    """Everything in one band: plain arithmetic, underflow and all."""
    draws = errors[0].mantissa.shape[0]
    which = torch.arange(draws, device=errors[0].mantissa.device)
    return Band([error.mantissa for error in errors], which, torch.zeros_like(which))


def _products(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], errors: Sequence[Tensor]
) -> list[Tensor | None]:
    """Vector-Jacobian products for every loss time [k, ...]; None where there is no path."""
    pairs = zip(outputs, errors, strict=True)
    live = [(output, error.to(output.dtype)) for output, error in pairs if output.requires_grad]
    if not live:
        return [None] * len(inputs)
    results, sent = [output for output, _ in live], [error for _, error in live]
    count, size = len(sent[0]), sum(x.numel() for x in inputs)
    if count > 1 and count * size <= _MOST_AT_ONCE:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a missing batching rule is slow, not wrong
                return list(_gradients(results, inputs, sent, mapped=True))
        except RuntimeError:
            pass
    each = [_gradients(results, inputs, [s[k] for s in sent], mapped=False) for k in range(count)]
    found = [
        [product for product in products if product is not None]
        for products in zip(*each, strict=True)
    ]
    return [torch.stack(products) if products else None for products in found]


def _gradients(
    results: Sequence[Tensor], inputs: Sequence[Tensor], sent: Sequence[Tensor], *, mapped: bool
) -> Sequence[Tensor | None]:
    return torch.autograd.grad(
        results, inputs, sent, retain_graph=True, allow_unused=True, is_grads_batched=mapped
    )


def _blank(like: Tensor, draws: int, rescale: bool) -> Scaled:
    shape = (draws, *like.shape)
    mantissa = torch.zeros(shape, dtype=working(like.dtype), device=like.device)
    level = NOTHING if rescale else 0
    return Scaled(mantissa, torch.full(shape[:-1], level, dtype=torch.int64, device=like.device))


def _add(total: Scaled, product: Tensor, band: Band, rescale: bool) -> None:
    """Add a band's product, in place."""
    if not rescale:
        total.mantissa.add_(product)
        return
    mantissa, exponent = scaled(product.to(total.mantissa.dtype))
    top = band.top.view(-1, *(1,) * (exponent.dim() - 1))
    sent = Scaled(mantissa, torch.where(exponent == NOTHING, NOTHING, exponent + top))
    held = Scaled(total.mantissa[band.which], total.exponent[band.which])
    total.mantissa[band.which], total.exponent[band.which] = normalise(*add(held, sent))
