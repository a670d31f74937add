"""Numbers with an exponent of their own: value = mantissa x 2**exponent.

An error that travels far back shrinks below what float32 (1e-45) or float64 (5e-324) can hold. Here
every vector along the last axis carries its own integer exponent, and after each step its largest
entry is brought back near one. Only powers of two are multiplied in, so no digit changes.

Axes: the mantissa has any shape [..., N]; the exponent has that shape without N.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

NOTHING = -(2**40)
"""The exponent of a vector of zeros: below every other, so that it never wins an alignment."""

_LARGEST_SHIFT = 96
_LN2 = 0.6931471805599453


class Scaled(NamedTuple):
    """A tensor whose vectors along the last axis are mantissa x 2**exponent."""

    mantissa: Float[Tensor, "..."]
    exponent: Int[Tensor, "..."]


def scaled(values: Float[Tensor, "... N"], *, rescale: bool = True) -> Scaled:
    """Plain numbers, each vector with its largest entry brought to [0.5, 1).

    With `rescale` False they stay as they are, at exponent 0: what plain arithmetic would hold.
    """
    zero = torch.zeros(values.shape[:-1], dtype=torch.int64, device=values.device)
    return normalise(values, zero) if rescale else Scaled(values, zero)


def normalise(mantissa: Float[Tensor, "... N"], exponent: Int[Tensor, "..."]) -> Scaled:
    """Bring each vector's largest entry to [0.5, 1) and pay for it in the exponent.

    One call shifts by at most 2**96, so that the factor itself never overflows; a subnormal vector
    reaches its place within two calls.
    """
    peak = torch.linalg.vector_norm(mantissa, ord=torch.inf, dim=-1)
    zero = peak == 0
    fraction, shift = torch.frexp(peak.clamp(min=2.0**-_LARGEST_SHIFT))
    factor = fraction / peak.clamp(min=2.0**-_LARGEST_SHIFT)  # 2**-shift, exactly
    exponent = torch.where(zero, NOTHING, exponent + shift)
    return Scaled(mantissa * factor.unsqueeze(-1), exponent)


def add(one: Scaled, other: Scaled) -> Scaled:
    """The sum, at the larger exponent of the two; not normalised."""
    exponent = torch.maximum(one.exponent, other.exponent)
    return Scaled(_shifted(one, exponent) + _shifted(other, exponent), exponent)


def total(one: Scaled, other: Scaled, *, rescale: bool = True) -> Scaled:
    """The sum, normalised; with `rescale` False that of two plain ones, at exponent 0."""
    if rescale:
        return normalise(*add(one, other))
    return Scaled(one.mantissa + other.mantissa, one.exponent)


def at(value: Scaled, exponent: Int[Tensor, "..."] | int) -> Float[Tensor, "... N"]:
    """The plain mantissas of `value` once all its exponents are `exponent`."""
    return _shifted(value, exponent)


def log_norm(value: Scaled) -> Float[Tensor, "..."]:
    """The natural log of each vector's Euclidean norm; -inf for zeros."""
    return log(torch.linalg.vector_norm(value.mantissa, dim=-1), value.exponent)


def log_peak(value: Scaled) -> Float[Tensor, "..."]:
    """The natural log of each vector's largest entry in modulus."""
    return log(torch.linalg.vector_norm(value.mantissa, ord=torch.inf, dim=-1), value.exponent)


def log(size: Float[Tensor, "..."], exponent: Int[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Ln (size x 2**exponent), in float64 on the host (not every device holds that type)."""
    return torch.log(size.cpu().double()) + exponent.cpu().double() * _LN2


def _shifted(value: Scaled, exponent: Tensor | int) -> Tensor:
    shift = (value.exponent - exponent).clamp(min=-2000)
    return value.mantissa * torch.exp2(shift.to(value.mantissa.dtype)).unsqueeze(-1)
