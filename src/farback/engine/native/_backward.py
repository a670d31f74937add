"""The kernels of a pass back: what the outputs say, one step back, and what reaches the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import grad_and_value, vjp

from ...types import Params
from ._codes import ZERO, Codes
from ._description import Net
from ._kernel import Kernel, Writer, examples, given, shapes_of, size_of, weighed
from ._memo import Marks, Memo, Recalled
from ._outer import PutOff
from ._trace import trace


def backward(
    net: Net, *, hot: bool, keep: bool, still: Sequence[int] = ()
) -> tuple[int, list[Kernel]]:
    """The kernels of backward.h, and how much a step keeps for the way back.

    Args:
        net: what is compiled.
        hot: whether inputs are one-hot.
        keep: whether activations are kept, which are those of the parameters on the way there.
        still: the inputs that are zero at later steps, which have kernels of their own then.
    """
    state, x, output = examples(net)
    weight = output.new_ones(())
    params = shapes_of(net.params)
    sizes = {"p": size_of(net.params), "s": len(state), "x": net.inputs}

    def reading(params: Params, state: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Any:
        def error(params: Params, state: Tensor) -> tuple[Tensor, Tensor]:
            output = net.read(params, state, x)
            return weighed(net, output, target, weight), output

        (gradient, entering), (loss, output) = grad_and_value(error, (0, 1), has_aux=True)(
            params, state
        )
        return output, loss, entering, gradient

    asked = {"target": len(output), "weight": 1}
    writer = Writer(
        "reading",
        sizes | asked | {"out": len(output), "loss": 1, "e": len(state), "g": sizes["p"], "f": 1},
        hot=hot,
    )
    made = writer.run(
        trace(reading, net.params, state, x, output, weight),
        *given(writer, net, state, x),
        writer.array("target", [output.shape]),
        writer.array("weight", [()]),
    )
    writer.set("out", made[:1])
    writer.set("loss", made[1:2])
    writer.set("e", made[2:3])
    kernels = _adding(writer, made[3:], ["out", "loss", "e"])

    kept, passed = _there_and_back(net, hot, keep)
    if still:
        more, later = _there_and_back(net, hot, keep, still)
        kept, passed = max(kept, more), [*passed, *later]

    origin = Writer("origin", {"p": sizes["p"], "a": len(state), "g": sizes["p"]})
    traced = trace(lambda p, a: vjp(net.start, p)[1](a)[0], net.params, torch.ones_like(state))
    made = origin.run(traced, origin.array("p", params), origin.array("a", [state.shape]))
    origin.add("g", made)
    return kept, [*kernels, *passed, origin.done(["g"])]


def _there_and_back(
    net: Net, hot: bool, keep: bool, still: Sequence[int] = ()
) -> tuple[int, list[Kernel]]:
    """A step and the way back through it, and how much is kept in between."""
    state, x, _ = examples(net)
    sizes = {"p": size_of(net.params), "s": len(state), "x": net.inputs}
    name = "later_" if still else ""

    def back(params: Params, state: Tensor, x: Tensor, adjoint: Tensor) -> Any:
        pulled = vjp(lambda p, s: net.step(p, s, x), params, state)[1](adjoint)
        return pulled[1], pulled[0]

    def seen(writer: Writer) -> tuple[list[Codes], ...]:
        *others, (shown,) = given(writer, net, state, x)
        return *others, [np.where(np.isin(np.arange(net.inputs), still), ZERO, shown)]

    first, kept = Memo(), {"kept": 1, "out": len(state)}
    ahead = Writer(f"{name}ahead", sizes | kept, hot=hot, marks=Marks(first))
    going = ahead.run(trace(net.step, net.params, state, x), *seen(ahead))
    arrays = sizes | {"a": len(state)} | kept | {"g": sizes["p"], "f": 1}
    memo = Recalled(first if keep else Memo())
    writer = Writer(f"{name}back", arrays, hot=hot, marks=Marks(memo))
    memo.kept = int(writer.array("kept", [(1,)])[0][0])
    arguments = (*seen(writer), writer.array("a", [state.shape]))
    made = writer.run(trace(back, net.params, state, x, torch.ones_like(state)), *arguments)
    writer.set("out", made[:1])
    kernels = _adding(writer, made[1:], ["out"], put_off=not still)
    ahead.set("out", going)
    ahead.keep("kept", memo.wanted)
    return memo.size, [*kernels, ahead.done(["kept", "out"])]


def _adding(
    writer: Writer, gradient: list[Codes], results: list[str], *, put_off: bool = True
) -> list[Kernel]:
    """A kernel that adds to the gradient, and one that adds what the first put off."""
    later = PutOff()
    writer.add("g", gradient, later if put_off else None)
    writer.keep("f", later.factors)
    kernel = writer.done([*results, "g", "f"])
    return [kernel, Kernel(later.text(writer.name, writer.body), 0)]
