"""A program: the functions of a cell on a task under a learner, as one C source.

The functions are traced one by one, each becomes a kernel, and a schedule that is written by hand
(backward.h, forward.h) calls them: step after step, sequence after sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor
from torch.func import grad_and_value, vjp

from ...types import Params
from ._codes import Codes
from ._description import Backward, Forward, Function, Learning, Net
from ._kernel import Kernel, Writer, shapes_of, size_of
from ._memo import Marks, Memo, Recalled
from ._outer import PutOff
from ._trace import trace
from ._unavailable import Unavailable


@dataclass(frozen=True)
class Program:
    """A C source, and the sizes that go with it."""

    source: str
    params: int
    memory: int
    hot: bool


_C = files(__name__.rpartition(".")[0])


def examination(net: Net, *, hot: bool = False) -> Program:
    """A program that answers sequences and does not learn."""
    kernels = _answering(net, hot)
    head = _head(net, kernels, 0, {"HOT": int(hot)})
    source = [head, *_texts("lanes.h", "functions.h", "sequences.h", "outer.h")]
    source += [*(it.text for it in kernels), *_texts("judging.h")]
    return Program("\n".join(source), size_of(net.params), 0, hot)


def training(
    net: Net, schedule: Backward | Forward, learning: Learning, *, hot: bool = False
) -> Program:
    """A program that learns, and answers.

    Raises:
        Unavailable: something in it cannot be compiled.
    """
    kernels = _answering(net, hot)
    macros = {"HOT": int(hot), "BATCH": learning.batch, "PER_STEP": int(learning.per_step)}
    if isinstance(schedule, Backward):
        kept, backward = _backward(net, hot, keep=not learning.per_step)
        kernels += backward
        window = schedule.window or 1 << 40
        macros |= {
            "WINDOW": window,
            "EVERY": schedule.every or 0,
            "BOUNDED": int(schedule.window is not None),
            "KEPT": kept,
        }
    else:
        carried, carry = _forward(net, schedule, hot)
        kernels += carried
        macros["CARRY"] = carry
    kernels += _learning(net, learning)
    memory = size_of(learning.memory)
    head = _head(net, kernels, memory, macros)
    name = "backward.h" if isinstance(schedule, Backward) else "forward.h"
    source = [head, *_texts("lanes.h", "functions.h", "sequences.h", "outer.h")]
    source += [*(it.text for it in kernels), *_texts("judging.h", "learning.h", name, "training.h")]
    return Program("\n".join(source), size_of(net.params), memory, hot)


def _texts(*names: str) -> list[str]:
    return [(_C / name).read_text(encoding="utf-8") for name in names]


def _head(net: Net, kernels: list[Kernel], memory: int, macros: dict[str, int]) -> str:
    sizes = {
        "INPUTS": net.inputs,
        "OUTPUTS": net.outputs,
        "STATE": size_of(net.start(net.params)),
        "PARAMS": size_of(net.params),
        "MEMORY": memory,
        "WORK": max(it.work for it in kernels) + 1,
    }
    return "".join(f"#define {name} {value}\n" for name, value in (sizes | macros).items())


def _answering(net: Net, hot: bool) -> list[Kernel]:
    state, x, output = _examples(net)
    sizes = {"p": size_of(net.params), "s": len(state), "x": net.inputs}

    start = Writer("start", {"p": sizes["p"], "out": len(state)})
    traced = trace(net.start, net.params)
    start.set("out", start.run(traced, start.array("p", shapes_of(net.params))))

    kernels = [start.done(["out"])]
    for name, function, size in (
        ("step", net.step, len(state)),
        ("read", net.read, len(output)),
    ):
        writer = Writer(name, sizes | {"out": size}, hot=hot)
        traced = trace(function, net.params, state, x)
        writer.set("out", writer.run(traced, *_given(writer, net, state, x)))
        kernels.append(writer.done(["out"]))

    grade = Writer("grade", {"o": len(output), "a": len(output), "out": 2})
    traced = trace(net.grade, output, output)
    given = grade.array("o", [output.shape]), grade.array("a", [output.shape])
    grade.set("out", grade.run(traced, *given))
    return [*kernels, grade.done(["out"])]


def _backward(net: Net, hot: bool, *, keep: bool) -> tuple[int, list[Kernel]]:
    state, x, output = _examples(net)
    weight = torch.ones((), dtype=torch.float64)
    params = shapes_of(net.params)
    sizes = {"p": size_of(net.params), "s": len(state), "x": net.inputs}

    def weighed(output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return torch.where(weight > 0, net.loss(output, target) * weight, 0)

    def reading(params: Params, state: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Any:
        def error(params: Params, state: Tensor) -> tuple[Tensor, Tensor]:
            output = net.read(params, state, x)
            return weighed(output, target, weight), output

        (gradient, entering), (loss, output) = grad_and_value(error, (0, 1), has_aux=True)(
            params, state
        )
        return output, loss, entering, gradient

    def back(params: Params, state: Tensor, x: Tensor, adjoint: Tensor) -> Any:
        pulled = vjp(lambda p, s: net.step(p, s, x), params, state)[1](adjoint)
        return pulled[1], pulled[0]

    asked = {"target": len(output), "weight": 1}
    writer = Writer(
        "reading",
        sizes | asked | {"out": len(output), "loss": 1, "e": len(state), "g": sizes["p"], "f": 1},
        hot=hot,
    )
    made = writer.run(
        trace(reading, net.params, state, x, output, weight),
        *_given(writer, net, state, x),
        writer.array("target", [output.shape]),
        writer.array("weight", [()]),
    )
    writer.set("out", made[:1])
    writer.set("loss", made[1:2])
    writer.set("e", made[2:3])
    kernels = _adding(writer, made[3:], ["out", "loss", "e"])

    loss = Writer("loss", {"o": len(output)} | asked | {"out": 1})
    shapes = (("o", output.shape), ("target", output.shape), ("weight", ()))
    given = [loss.array(name, [shape]) for name, shape in shapes]
    loss.set("out", loss.run(trace(weighed, output, output, weight), *given))
    kernels.append(loss.done(["out"]))

    first = Memo()
    ahead = Writer("ahead", sizes | {"out": len(state), "kept": 1}, hot=hot, marks=Marks(first))
    going = ahead.run(trace(net.step, net.params, state, x), *_given(ahead, net, state, x))
    arrays = sizes | {"a": len(state), "kept": 1, "out": len(state), "g": sizes["p"], "f": 1}
    memo = Recalled(first if keep else Memo())
    writer = Writer("back", arrays, hot=hot, marks=Marks(memo))
    memo.kept = int(writer.array("kept", [(1,)])[0][0])
    given = (*_given(writer, net, state, x), writer.array("a", [state.shape]))
    made = writer.run(trace(back, net.params, state, x, torch.ones_like(state)), *given)
    writer.set("out", made[:1])
    kernels += _adding(writer, made[1:], ["out"])
    ahead.set("out", going)
    ahead.keep("kept", memo.wanted)
    kernels.append(ahead.done(["out", "kept"]))

    origin = Writer("origin", {"p": sizes["p"], "a": len(state), "g": sizes["p"]})
    traced = trace(lambda p, a: vjp(net.start, p)[1](a)[0], net.params, torch.ones_like(state))
    made = origin.run(traced, origin.array("p", params), origin.array("a", [state.shape]))
    origin.add("g", made)
    return memo.size, [*kernels, origin.done(["g"])]


def _adding(writer: Writer, gradient: list[Codes], results: list[str]) -> list[Kernel]:
    """A kernel that adds to the gradient, and one that adds what the first put off."""
    later = PutOff()
    writer.add("g", gradient, later)
    writer.keep("f", later.factors)
    kernel = writer.done([*results, "g", "f"])
    return [kernel, Kernel(later.text(writer.name, writer.body), 0)]


def _forward(net: Net, schedule: Forward, hot: bool) -> tuple[list[Kernel], int]:
    _, x, output = _examples(net)
    weight = torch.ones((), dtype=torch.float64)
    carry = schedule.begin(net.params)
    params, size, shapes = size_of(net.params), size_of(carry), shapes_of(carry)

    begin = Writer("begin", {"p": params, "carry": size})
    begun = begin.run(trace(schedule.begin, net.params), begin.array("p", shapes_of(net.params)))
    begin.set("carry", begun)

    def stepping(name: str, function: Function) -> Kernel:
        arrays = {"p": params, "carry": size, "x": net.inputs, "target": len(output), "weight": 1}
        results = {"next": size, "out": len(output), "loss": 1, "due": 1, "g": params}
        writer = Writer(name, arrays | results, hot=hot)
        traced = trace(function, net.params, carry, x, output, weight)
        made = writer.run(
            traced,
            writer.array("p", shapes_of(net.params)),
            writer.array("carry", shapes),
            writer.array("x", [x.shape]),
            writer.array("target", [output.shape]),
            writer.array("weight", [()]),
        )
        leaves = len(shapes)
        if [it.shape for it in made[:leaves]] != shapes:
            raise Unavailable("what the gradient carries along does not keep its shape")
        writer.set("next", made[:leaves])
        writer.set("out", made[leaves : leaves + 1])
        writer.set("loss", made[leaves + 1 : leaves + 2])
        writer.set("due", made[-1:])
        writer.add("g", made[leaves + 2 : -1])
        return writer.done(list(results))

    first, advance = stepping("first", schedule.first), stepping("advance", schedule.advance)
    if advance != stepping("advance", schedule.later):
        raise Unavailable("the gradient's step depends on how many there were before it")
    return [begin.done(["carry"]), first, advance], size


def _learning(net: Net, learning: Learning) -> list[Kernel]:
    memory = learning.memory
    sizes = {"p": size_of(net.params), "m": size_of(memory)}
    kernels = []
    for name, function, further in (
        ("update", learning.update, {"g": net.params}),
        ("before", learning.before, {}),
        ("after", learning.after, {"loss": torch.ones(learning.batch, dtype=torch.float64)}),
    ):
        arrays = {"p": sizes["p"]} | {it: size_of(tree) for it, tree in further.items()}
        writer = Writer(name, arrays | {"m": sizes["m"]})
        traced = trace(function, net.params, *further.values(), memory)
        given = [writer.array(it, shapes_of(tree)) for it, tree in further.items()]
        made = writer.run(
            traced,
            writer.array("p", shapes_of(net.params)),
            *given,
            writer.array("m", shapes_of(memory)),
        )
        split = len(shapes_of(net.params))
        writer.replace(p=made[:split], m=made[split:])
        kernels.append(writer.done(["p", "m"]))
    return kernels


def _given(writer: Writer, net: Net, state: Tensor, x: Tensor) -> tuple[Any, ...]:
    return (
        writer.array("p", shapes_of(net.params)),
        writer.array("s", [state.shape]),
        writer.array("x", [x.shape]),
    )


def _examples(net: Net) -> tuple[Tensor, Tensor, Tensor]:
    state = net.start(net.params)
    x, output = (torch.zeros(size, dtype=torch.float64) for size in (net.inputs, net.outputs))
    return state, x, output
