"""The error: what of the output is read, and when it enters the recurrent layers.

E_t is the error that enters at clock step t, each t apart; a head that pools over time cannot make
every lag look alive by reading it directly. Without a loss, the output is projected on random
directions v ~ N(0, 1): the mean square of J^T v over v is the square of J's Frobenius norm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputRefused, WrongUsage
from ._border import first_line
from ._broken import NoGraph, NotFinite, finite
from ._output import tensors_in
from ._tape import Tape

Loss = Callable[[Any, Any], Tensor]

DRAWS = 4
"""Random projections where no loss is given."""

MOST_LOSS_TIMES = 16
"""Evenly spaced loss times besides the last."""


def picked(output: Any, name: str | None) -> Any:
    """The part of the output that `name` tells: 'logits', '0', 'states.1'; None is all of it.

    Raises:
        WrongUsage: the output has no such part.
    """
    for part in () if name is None else name.split("."):
        found = _part(output, part)
        if found is None:
            has = ", ".join(candidates(output)) or "no parts: it is one tensor"
            raise WrongUsage(f"The model's output has no part '{name}'; it has {has}.")
        output = found
    return output


def _part(output: Any, part: str) -> Any:
    if isinstance(output, dict):
        return output.get(part)
    if isinstance(output, tuple | list) and part.lstrip("-").isdigit():
        return output[int(part)] if -len(output) <= int(part) < len(output) else None
    return getattr(output, part, None)


def candidates(output: Any) -> list[str]:
    """The names of the tensors in an output, as `output=` takes them."""
    if isinstance(output, dict):
        parts = {str(key): value for key, value in output.items()}
    elif isinstance(output, tuple | list):
        parts = {str(number): value for number, value in enumerate(output)}
    elif hasattr(output, "__dict__"):
        parts = dict(vars(output))
    else:
        return []
    names = []
    for name, value in parts.items():
        if isinstance(value, Tensor):
            names.append(name)
        else:
            names += [f"{name}.{inner}" for inner in candidates(value)]
    return names


def scalars(output: Any, target: Any, loss: Loss | None, seed: int) -> list[Tensor]:
    """The scalars to follow back: the loss, or random projections of the output.

    Raises:
        InputRefused: the loss fails, or is no scalar; or there is no one tensor to project.
    """
    if loss is None:
        return _projections(output, seed)
    try:
        value = loss(output, target)
    except Exception as error:
        listed = "" if isinstance(output, Tensor) else f" (it has {', '.join(candidates(output))})"
        raise InputRefused(
            f"The loss fails on the model's output, a {type(output).__name__}{listed}: "
            f"{first_line(error)}; a function of (output, target) was expected, and output= "
            "(--output) picks a part of the output."
        ) from error
    if not isinstance(value, Tensor):
        raise InputRefused(
            f"The loss returned a {type(value).__name__}, and a tensor was expected: .item() or "
            "float() leaves the graph; return the tensor itself."
        )
    if value.is_complex():
        raise InputRefused("The loss is complex, and a real one was expected; take its modulus.")
    return [value if value.dim() == 0 else value.sum()]


def _projections(output: Any, seed: int) -> list[Tensor]:
    if not isinstance(output, Tensor):
        names = candidates(output)
        raise InputRefused(
            f"The model returned a {type(output).__name__}, and without a loss one tensor was "
            f"expected; pick it with output= (--output), of {', '.join(names) or 'none at all'}."
        )
    if output.is_complex():
        output = output.abs()
    generator = torch.Generator().manual_seed(seed)
    draws = [torch.randn(output.shape, generator=generator) for _ in range(DRAWS)]
    return [(output * v.to(output)).sum() for v in draws]


def refuse_blind(tape: Tape) -> None:
    """Refuse a forward whose recurrent part runs without gradients altogether.

    Raises:
        InputRefused: every recurrent call was made under no_grad.
    """
    if tape.blind:
        raise InputRefused(
            f"{', '.join(tape.blind)} runs under no_grad, inference_mode or a re-entrant "
            "checkpoint inside forward, and gradients were expected to pass through it; take that "
            "out of forward for the probe."
        )


def refuse_without_entrance(tape: Tape) -> None:
    """Refuse a model without recurrence whose data enter where nothing can be measured.

    Raises:
        InputRefused: no floating sequence and no embedding was met.
    """
    if not tape.calls:
        raise InputRefused(
            "No recurrent call was found, and no place where the sequence enters as floating "
            "numbers, which was expected; embed tokens with a torch.nn.Embedding, or name the "
            "recurrent module with cells= (--cells)."
        )


def refuse_without_graph(output: Any, last: str) -> None:
    """Refuse an output that cannot carry an error; `last` names the last tensor that can.

    Raises:
        InputRefused: there is no tensor in it.
        NoGraph: no tensor of it has a gradient path.
    """
    tensors = tensors_in(output, set())
    if not tensors:
        told = "nothing (None)" if output is None else f"a {type(output).__name__} without tensors"
        raise InputRefused(
            f"The model's forward returned {told}, and at least one tensor was expected; let it "
            "return its output."
        )
    if any(x.requires_grad for x in tensors):
        return
    raise NoGraph(
        "There is no gradient path from the model's output back to any step: it comes from argmax, "
        "round, item or detach, and a differentiable output was expected. The last differentiable "
        f"tensor is {last}; return that, or let the loss read it."
    )


def gradients_at(values: Sequence[Tensor], tape: Tape) -> dict[int, list[Tensor | None]]:
    """The gradient of each scalar at every tensor that a call handed out, by its id."""
    outs = [out for call in tape.calls for out in call.outs]
    gradients: dict[int, list[Tensor | None]] = {id(out): [] for out in outs}
    for value in values:
        found: Sequence[Tensor | None] = [None] * len(outs)
        if value.requires_grad and outs:
            found = torch.autograd.grad(value, outs, retain_graph=True, allow_unused=True)
        for out, gradient in zip(outs, found, strict=True):
            gradients[id(out)].append(gradient)
    for call in tape.calls:
        for out in call.outs:
            if not all(g is None or finite(g) for g in gradients[id(out)]):
                raise NotFinite(
                    f"The gradient of the loss at the output of {call.name} is NaN or infinite, "
                    "and finite numbers were expected; look at the loss, and at what it reads."
                )
    return gradients


def read_times(
    gradients: Mapping[int, Sequence[Tensor | None]], tape: Tape, draws: int
) -> set[int]:
    """The clock steps at which any error enters."""
    read: set[int] = set()
    for call in tape.calls:
        for draw in range(draws if call.steps else 0):
            read |= call.read_times([gradients[id(out)][draw] for out in call.outs])
    return read


def choose_times(
    read: Sequence[int], steps: int, asked: Sequence[int] | None, *, most: int | None = None
) -> list[int]:
    """The loss times: those asked for, else the last and at most 16 evenly spaced before it.

    Raises:
        WrongUsage: the loss does not read a time that was asked for.
    """
    if asked is not None:
        wanted = [t + steps if t < 0 else t for t in asked]
        missing = [t for t in wanted if t not in read]
        if missing or not wanted:
            raise WrongUsage(
                f"The loss does not read time {', '.join(map(str, missing)) or 'none'} of steps 0 "
                f"to {steps - 1}; it reads {_some(read)}. Ask for loss_times (--loss-times) among "
                "these."
            )
        return sorted(set(wanted))
    *earlier, last = read
    most = MOST_LOSS_TIMES if most is None else most
    if len(earlier) > most:
        places = torch.linspace(0, len(earlier) - 1, most).round().int().tolist()
        earlier = [earlier[place] for place in places]
    return [*earlier, last]


def _some(times: Sequence[int]) -> str:
    return ", ".join(map(str, times)) if len(times) <= 6 else f"{times[0]} to {times[-1]}"
