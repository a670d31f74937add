"""A contract: claims that every member of a room keeps, each of which says what broke it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ..errors import FarbackError, WrongUsage, a

Subject = TypeVar("Subject")


class ContractBroken(FarbackError, AssertionError):
    """A class does not keep what its room promises."""

    exit_code = 1


def keep(claims: Mapping[str, Callable[[Subject], None]], subject: Subject, name: str) -> None:
    """Hold the subject to every claim.

    Raises:
        ContractBroken: the first claim that it breaks, and how.
        WrongUsage: the subject's own refusal of what it was tried on.
    """
    for claim, check in claims.items():
        try:
            check(subject)
        except WrongUsage:
            raise
        except ContractBroken as broken:
            raise ContractBroken(f"{name} breaks '{claim}': {broken}") from None
        except Exception as error:
            came = f"{type(error).__name__}: {error}"
            raise ContractBroken(f"{name} breaks '{claim}': it raised {came}") from error


def require(kept: bool, sentence: str) -> None:
    """Say what broke unless the claim is kept."""
    if not kept:
        raise ContractBroken(sentence)


def require_kind(thing: object, kind: type[Any]) -> None:
    """Say what came where something of another kind is expected."""
    if isinstance(thing, type):
        raise ContractBroken(f"the class {thing.__name__} came, expected an object of one.")
    came = a(type(thing).__name__)
    require(isinstance(thing, kind), f"{came} came, expected a child of {kind.__name__}.")


def require_close(ours: Tensor, theirs: Tensor, tolerance: float, sentence: str) -> None:
    """Say what broke, and by how much, unless both agree relative to the largest number."""
    scale = max(1.0, float(theirs.abs().max())) if theirs.numel() else 1.0
    off = float((ours - theirs).abs().max()) / scale if theirs.numel() else 0.0
    require(bool(torch.isfinite(ours).all()), f"{sentence}; it gives numbers that are not finite.")
    require(off <= tolerance, f"{sentence}; they are {off:.1e} apart, expected {tolerance:.0e}.")


def same(one: Any, other: Any) -> bool:
    """Whether two trees have one form and hold the same bits; NaN is the same as NaN."""
    mine, form = pytree.tree_flatten(one)
    others, form_of_other = pytree.tree_flatten(other)
    if form != form_of_other:
        return False
    return all(
        a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | (a != a) & (b != b)).all())
        for a, b in zip(mine, others, strict=True)
    )


def copied(tree: Any) -> Any:
    """The same numbers in storage of their own."""
    return pytree.tree_map(torch.clone, tree)


def check_configuration(thing: Any) -> None:
    """Frozen, and its repr is its configuration: read back, it is the same object again."""
    name = type(thing).__name__
    frozen = is_dataclass(thing) and type(thing).__dataclass_params__.frozen  # type: ignore
    require(frozen, f"{name} is not a frozen dataclass; put @dataclass(frozen=True) above it.")
    again = rebuilt(thing)
    require(
        again == thing, f"{thing!r} reads back as {again!r}; its repr must say all its choices."
    )
    require(hash(again) == hash(thing), f"{name} is equal to its copy but hashes differently.")


def rebuilt(thing: Any) -> Any:
    """The object that the repr of `thing` spells, read without eval."""
    return _read(
        ast.parse(repr(thing), mode="eval").body, {it.__name__: it for it in _kinds(thing)}
    )


def _read(node: ast.expr, kinds: dict[str, type[Any]]) -> Any:
    match node:
        case ast.Call(ast.Name(name), arguments, keywords):
            given = {str(it.arg): _read(it.value, kinds) for it in keywords}
            return kinds[name](*(_read(it, kinds) for it in arguments), **given)
        case ast.Tuple(entries):
            return tuple(_read(it, kinds) for it in entries)
        case ast.Name("inf" | "nan" as name):
            return float(name)
        case ast.UnaryOp(ast.USub(), value):
            return -_read(value, kinds)
        case _:
            return ast.literal_eval(node)


def _kinds(thing: Any) -> Iterator[type[Any]]:
    """The classes that a repr may name: the object's own and those of its fields."""
    if isinstance(thing, tuple):
        for entry in thing:
            yield from _kinds(entry)
    elif is_dataclass(thing):
        yield type(thing)
        for field in fields(thing):
            yield from _kinds(getattr(thing, field.name))
