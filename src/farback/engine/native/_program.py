"""A program: the functions of a cell on a task under a learner, as one C source.

The functions are traced one by one, each becomes a kernel, and a schedule that is written by hand
(ahead.h, backward.h, forward.h, recursion.h) calls them: step after step, sequence after sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ...types import Params
from ._backward import backward
from ._description import (
    Ahead,
    Backward,
    Forward,
    Function,
    Learning,
    Net,
    Recursion,
    Told,
)
from ._forward import forward
from ._kernel import Kernel, Writer, alike, examples, given, shapes_of, size_of, weighed
from ._recursion import recursion
from ._stream import Stream
from ._trace import trace


@dataclass(frozen=True)
class Program:
    """A C source, and the sizes that go with it."""

    source: str
    params: int
    memory: int
    hot: bool
    inputs: int
    outputs: int
    stream: Stream | None = None
    wide: int = 1
    """Blocks of lanes that take turns, step by step."""


_SMALL = 64
"""Parameters of a net whose steps leave the CPU waiting for their results."""

_C = files(__name__.rpartition(".")[0])


def examination(net: Net, *, hot: bool = False, stream: Stream | None = None) -> Program:
    """A program that answers sequences and does not learn: for searches, and further tests."""
    kernels = _answering(net, hot)
    source = _source(net, kernels, 0, {"HOT": int(hot), "LEARNS": 0}, stream, ["judging.h"])
    return Program(source, size_of(net.params), 0, hot, net.inputs, net.outputs, stream)


def training(
    net: Net,
    schedule: Ahead | Backward | Forward | Recursion,
    learning: Learning,
    *,
    hot: bool = False,
    stream: Stream | None = None,
) -> Program:
    """A program that learns, and answers.

    Args:
        net: the functions.
        schedule: how their derivatives are taken.
        learning: what becomes of them.
        hot: whether inputs are one-hot.
        stream: what it draws itself; it reads sequences from memory too.

    Raises:
        Unavailable: something in it cannot be compiled.
    """
    kernels = _answering(net, hot)
    macros = {
        "HOT": int(hot),
        "LEARNS": 1,
        "BATCH": learning.batch,
        "PER_STEP": int(learning.per_step),
        "WIDE": 1,
        **_chances(learning),
    }
    if isinstance(schedule, Backward):
        small = size_of(net.params) <= _SMALL and schedule.every is None
        still = stream.still if stream and small else ()
        kept, passes = backward(net, hot=hot, keep=not learning.per_step, still=still)
        kernels += passes
        window = schedule.window or 1 << 40
        macros |= {
            "WINDOW": window,
            "EVERY": schedule.every or 0,
            "BOUNDED": int(schedule.window is not None),
            "KEPT": kept,
        }
        macros |= {"WIDE": 4 if small else 1, "LATER": int(len(still) > 0)}
    elif not isinstance(schedule, Ahead):
        derive = forward if isinstance(schedule, Forward) else recursion
        derived, sizes = derive(net, schedule, hot=hot)  # type: ignore
        kernels += derived
        macros |= sizes
    kernels += _learning(net, learning)
    memory = size_of(learning.memory)
    name = type(schedule).__name__.lower()
    parts = ["judging.h", "learning.h", f"{name}.h", "training.h"]
    source = _source(net, kernels, memory, macros, stream, parts)
    sizes = size_of(net.params), memory, hot, net.inputs, net.outputs
    return Program(source, *sizes, stream, macros["WIDE"])


def _source(
    net: Net,
    kernels: list[Kernel],
    memory: int,
    macros: dict[str, int],
    stream: Stream | None,
    parts: list[str],
) -> str:
    """All of it: sizes, what kernels are made of, kernels, and what calls them."""
    work = max(it.work for it in (*kernels, *([stream.kernel] if stream else []))) + 1
    macros = {"DRAWN": int(stream is not None)} | macros | (stream.macros if stream else {})
    texts = [_head(net, work, memory, macros), *_texts("lanes.h", "functions.h")]
    texts += _texts("normal.h", "draws.h") if stream or macros.get("CHANCES") else []
    texts += [stream.text] if stream else []
    texts += [*_texts("sequences.h", "outer.h", "influence.h"), *(it.text for it in kernels)]
    return "\n".join([*texts, *_texts("drawing.h", *parts)])


def _texts(*names: str) -> list[str]:
    return [(_C / name).read_text(encoding="utf-8") for name in names]


def _head(net: Net, work: int, memory: int, macros: dict[str, int]) -> str:
    sizes = {
        "INPUTS": net.inputs,
        "OUTPUTS": net.outputs,
        "STATE": size_of(net.start(net.params)),
        "PARAMS": size_of(net.params),
        "MEMORY": memory,
        "WORK": work,
    }
    return "".join(f"#define {name} {value}\n" for name, value in (sizes | macros).items())


def _answering(net: Net, hot: bool) -> list[Kernel]:
    state, x, output = examples(net)
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
        writer.set("out", writer.run(traced, *given(writer, net, state, x)))
        kernels.append(writer.done(["out"]))

    grade = Writer("grade", {"o": len(output), "a": len(output), "out": 2})
    traced = trace(net.grade, output, output)
    both = grade.array("o", [output.shape]), grade.array("a", [output.shape])
    grade.set("out", grade.run(traced, *both))

    arrays = {"o": output.shape, "target": output.shape, "weight": ()}
    loss = Writer(
        "loss", {name: int(np.prod(shape)) for name, shape in arrays.items()} | {"out": 1}
    )
    traced = trace(partial(weighed, net), output, output, output.new_ones(()))
    loss.set("out", loss.run(traced, *(loss.array(name, [it]) for name, it in arrays.items())))
    return [*kernels, grade.done(["out"]), loss.done(["out"])]


def _chances(learning: Learning) -> dict[str, int]:
    """How many numbers a step draws, and where in its memory a trial has what they come from."""
    if not learning.chances:
        return {"CHANCES": 0}
    key, step = (torch.full_like(learning.memory["chance"][name], -1.0) for name in ("key", "step"))
    marked = learning.memory | {"chance": {"key": key, "step": step}}
    flat = torch.cat([it.reshape(-1) for it in pytree.tree_leaves(marked)])
    first = int((flat == -1.0).nonzero()[0])
    return {"CHANCES": learning.chances, "CHANCE_AT": first}


def _learning(net: Net, learning: Learning) -> list[Kernel]:
    memory, kind = learning.memory, next(iter(net.params.values())).dtype
    sizes = {"p": size_of(net.params), "m": size_of(memory)}
    of_each, chance = (
        torch.ones(learning.batch, dtype=kind),
        torch.zeros(learning.chances, dtype=kind),
    )

    def after(params: Params, loss: Tensor, right: Tensor, chance: Tensor, memory: Any) -> Any:
        return learning.after(params, memory, Told(loss, right, chance))

    kernels = []
    for name, function, further in (
        ("update", learning.update, {"g": net.params}),
        ("before", lambda p, c, m: learning.before(p, m, c), {"chance": chance}),
        ("after", after, {"loss": of_each, "right": of_each, "chance": chance}),
    ):
        arrays = {"p": sizes["p"]} | {it: size_of(tree) for it, tree in further.items()}
        writer = Writer(name, arrays | {"m": sizes["m"]})

        def changed(*arguments: Any, function: Function = function) -> Any:
            return alike((net.params, memory), function(*arguments))

        traced = trace(changed, net.params, *further.values(), memory)
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
