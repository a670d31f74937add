"""The kernels of what is carried back over a sequence, and what of its parts is zero for good.

Most parameters have no part in the output of a step; those parts need no place and no work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._codes import ZERO, Codes
from ._description import Net, Recursion
from ._kernel import Kernel, Writer, alike, examples, given, shapes_of, size_of
from ._trace import trace
from ._unavailable import Unavailable


def recursion(net: Net, schedule: Recursion, *, hot: bool) -> tuple[list[Kernel], dict[str, int]]:
    """The kernels of recursion.h, and the sizes of what is carried and added.

    Raises:
        Unavailable: what is carried or added changes its shape.
    """
    state, x, output = examples(net)
    sizes = {"p": size_of(net.params), "s": len(state), "x": net.inputs}

    read = trace(schedule.reading, net.params, state, x, output, output.new_ones(()))
    _, _, carried, parts = read.function()
    size = size_of(carried)

    def back(*arguments: Any) -> Any:
        earlier, added = schedule.back(*arguments)
        return alike(carried, earlier), added

    stepped = trace(back, net.params, state, x, carried, parts)
    earlier, added = stepped.function()
    ended = trace(lambda *it: alike(added, schedule.origin(*it)), net.params, carried)
    finished = trace(lambda *it: alike(net.params, schedule.finish(*it)), added)
    for before, after in (
        (carried, earlier),
        (added, ended.function()),
        (net.params, finished.function()),
    ):
        if shapes_of(before) != shapes_of(after):
            raise Unavailable("what the gradient carries back does not keep its shape")

    asked = {"target": len(output), "weight": 1}
    made = {"out": len(output), "loss": 1, "carried": size, "parts": size_of(parts)}
    reading = Writer("reading", sizes | asked | made, hot=hot)
    found = reading.run(
        read,
        *given(reading, net, state, x),
        reading.array("target", [output.shape]),
        reading.array("weight", [()]),
    )
    split = 2 + len(shapes_of(carried))
    own = np.concatenate([np.full(0, ZERO), *(it.reshape(-1) for it in found[split:])])
    there = own != ZERO
    reading.set("out", found[:1])
    reading.set("loss", found[1:2])
    reading.add("carried", found[2:split])
    reading.keep("parts", [own[there]])

    def parted(writer: Writer) -> list[Codes]:
        flat = np.full(len(own), ZERO)
        flat[there] = writer.array("parts", [(int(there.sum()),)])[0]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes_of(parts)])[:-1]
        pieces = np.split(flat, ends) if shapes_of(parts) else []
        return [it.reshape(shape) for it, shape in zip(pieces, shapes_of(parts), strict=True)]

    held = {"carried": size, "parts": int(there.sum())}
    made = {"out": size, "added": size_of(added)}
    going = Writer("back", sizes | held | made, hot=hot)
    arguments = (
        *given(going, net, state, x),
        going.array("carried", shapes_of(carried)),
        parted(going),
    )
    found = going.run(stepped, *arguments)
    split = len(shapes_of(carried))
    going.set("out", found[:split])
    going.add("added", found[split:])

    origin = Writer("origin", {"p": sizes["p"], "carried": size, "added": size_of(added)})
    arguments = (
        origin.array("p", shapes_of(net.params)),
        origin.array("carried", shapes_of(carried)),
    )
    origin.add("added", origin.run(ended, *arguments))

    finish = Writer("finish", {"added": size_of(added), "g": sizes["p"]})
    finish.add("g", finish.run(finished, finish.array("added", shapes_of(added))))

    kernels = [
        reading.done(["out", "loss", "carried", "parts"]),
        going.done(["out", "added"]),
        origin.done(["added"]),
        finish.done(["g"]),
    ]
    return kernels, {"CARRIED": size, "PARTS": held["parts"], "ADDED": size_of(added)}
