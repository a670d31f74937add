"""The kernels of a gradient that is carried along, and what of its carry is zero for good.

An influence of parameters that never reach the state is zero at every step, and so is much else.
What is zero at the start, and again after a step wherever it was, needs no place and no work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._codes import ZERO
from ._description import Forward, Function, Net
from ._influence import in_place
from ._kernel import Kernel, Writer, alike, examples, shapes_of, size_of
from ._trace import Traced, trace
from ._unavailable import Unavailable


def forward(net: Net, schedule: Forward, *, hot: bool) -> tuple[list[Kernel], dict[str, int]]:
    """The kernels of forward.h, and the sizes of what is carried.

    Raises:
        Unavailable: the carry changes its shape, or a step looks at more than itself.
    """
    _, x, output = examples(net)
    carry, weight = schedule.begin(net.params), output.new_ones(())
    step = net.params, carry, x, output, weight

    def traced(function: Function) -> Traced:
        def stepped(*arguments: Any) -> Any:
            carried, output, loss, gradient, due = function(*arguments)
            return alike(carry, carried), output, loss, alike(net.params, gradient), due

        return trace(stepped, *step)

    first, advance = traced(schedule.first), traced(schedule.advance)

    begin = Writer("begin", {"p": size_of(net.params), "carry": size_of(carry)})
    begun = begin.run(trace(schedule.begin, net.params), begin.array("p", shapes_of(net.params)))
    zero = np.concatenate([it.reshape(-1) for it in begun]) == ZERO
    while True:
        one = _Stepping("first", first, net, shapes_of(carry), zero, hot)
        other = _Stepping("advance", advance, net, shapes_of(carry), zero, hot)
        still = zero & one.zero & other.zero
        if (still == zero).all():
            break
        zero = still
    kernel = other.kernel()
    for later in map(traced, schedule.later):
        if kernel != _Stepping("advance", later, net, shapes_of(carry), zero, hot).kernel():
            raise Unavailable("the gradient's step depends on how many there were before it")

    size = int((~zero).sum())
    begin = Writer("begin", {"p": size_of(net.params), "carry": size})
    begun = begin.run(trace(schedule.begin, net.params), begin.array("p", shapes_of(net.params)))
    begin.set("carry", [np.concatenate([it.reshape(-1) for it in begun])[~zero]])
    moving = in_place(kernel, size)
    kernels = [begin.done(["carry"]), one.kernel(), moving.advance, moving.rest]
    return kernels, {"CARRY": size, "COLUMNS": moving.columns}


class _Stepping:
    """One step, with what is known to be zero before it.

    Args:
        name: of the kernel.
        traced: the step.
        net: what is compiled.
        shapes: of the carry's tensors.
        zero: its elements that are zero.
        hot: whether inputs are one-hot.
    """

    def __init__(
        self,
        name: str,
        traced: Traced,
        net: Net,
        shapes: list[tuple[int, ...]],
        zero: np.ndarray,
        hot: bool,
    ) -> None:
        size, params = int((~zero).sum()), size_of(net.params)
        given = {"p": params, "carry": size, "x": net.inputs, "target": net.outputs, "weight": 1}
        self._results = {"next": size, "out": net.outputs, "loss": 1, "due": 1, "g": params}
        self._writer = Writer(name, given | self._results, hot=hot)
        held = np.full(len(zero), ZERO)
        held[~zero] = self._writer.array("carry", [(size,)])[0]
        parts = np.split(held, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
        made = self._writer.run(
            traced,
            self._writer.array("p", shapes_of(net.params)),
            [it.reshape(shape) for it, shape in zip(parts, shapes, strict=True)],
            self._writer.array("x", [(net.inputs,)]),
            self._writer.array("target", [(net.outputs,)]),
            self._writer.array("weight", [()]),
        )
        if [it.shape for it in made[: len(shapes)]] != shapes:
            raise Unavailable("what the gradient carries along does not keep its shape")
        self._carry = np.concatenate([it.reshape(-1) for it in made[: len(shapes)]])
        self._made, self._kept = made[len(shapes) :], ~zero
        self.zero = self._carry == ZERO

    def kernel(self) -> Kernel:
        """The step as a kernel."""
        writer, (output, loss, *gradient, due) = self._writer, self._made
        writer.set("next", [self._carry[self._kept]])
        writer.set("out", [output])
        writer.set("loss", [loss])
        writer.set("due", [due])
        writer.add("g", gradient)
        return writer.done(list(self._results))
