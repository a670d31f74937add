"""What follows from the loss around the parameters: the sentence, the figures, the drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..flow import Chart, Finding, Line, Mark, Measurement, Number, Plane, Remedy, Series

_STEEP = math.log(10)
"""The jump, as a log, from which on a place is called a cliff."""

_FROM_ZERO = 300
"""A jump, as a log, that only a gradient of zero beside it can make."""


def is_cliff(fields: Mapping[str, Any]) -> bool:
    """Whether the gradient grows by a factor of ten from one place to the next."""
    return fields["jump"] > _STEEP


def judged(m: Measurement) -> Finding:
    """A cliff is worth watching; its remedy is a bound on the step."""
    looked = f"within {m.radius:.3g} of the parameters along the gradient"
    evidence = (
        f"{len(m.s)} places; curvature along the gradient {m.curvature:.3g} ({m.method}), the "
        f"sharpest found {m.sharpest:.3g}"
    )
    if not m.largest_norm:
        return Finding(m.name, f"the loss is flat {looked}: its gradient is zero", evidence)
    if not is_cliff(m.fields):
        claim = (
            f"the loss has no cliff {looked}: from one place to the next the gradient's norm "
            f"changes by a factor of {math.exp(m.jump):.3g} at most"
        )
        return Finding(m.name, claim, evidence)
    side = "downhill" if m.wall >= 0 else "uphill"
    clip = Remedy(
        f"clip the gradient norm at {m.clip:.2g} (updates.Clip, clip_grad_norm_)",
        f"{m.quantile:.0%} of the norms {looked} lie below it; one step at the wall would "
        "throw the parameters away",
    )
    return Finding(
        analysis=m.name,
        claim=(
            f"the loss has a cliff {abs(m.wall):.3g} {side} of the parameters: the gradient's norm "
            f"there is {m.largest_norm:.3g}, {_told(m.jump, ' that of its neighbours')}"
        ),
        evidence=f"{evidence}, at the wall {m.curvature_at_wall:.3g}",
        severity="watch",
        remedies=(clip,) if m.clip else (),  # with no usual norm there is none to clip at
    )


def numbers(fields: Mapping[str, Any]) -> tuple[Number, ...]:
    """The first screen."""
    clip = f"{fields['clip']:.2g}" if fields["clip"] else "none"
    where = f"at {fields['wall']:+.3g}" if is_cliff(fields) else "no cliff"
    return (
        Number("Largest jump of the gradient", _told(fields["jump"]), where),
        Number("Curvature along the gradient", f"{fields['curvature']:.3g}", fields["method"]),
        Number("Clip value", clip, f"quantile {fields['quantile']:g}"),
    )


def charts(fields: Mapping[str, Any]) -> tuple[Chart, ...]:
    """The loss and the gradient's norm along the line."""
    label = "place along the gradient (downhill to the right, in the length of the parameters)"
    lines = [Line("x", 0.0, "here")]
    if is_cliff(fields):
        lines.append(Line("x", fields["wall"], "the wall"))
    loss = Series("loss", "loss")
    norm = Series("the gradient's norm", "log_gradient")
    clip = (Line("y", math.log(fields["clip"]), "clip"),) if fields["clip"] > 0 else ()
    return (
        Chart("The loss along the gradient", "s", label, "loss", "", (loss,), tuple(lines)),
        Chart(
            "The gradient's norm along the gradient",
            "s",
            label,
            "log10 of the norm",
            "ln",
            (norm,),
            (*lines, *clip),
        ),
    )


def plane(fields: Mapping[str, Any]) -> Plane:
    """The loss around the parameters."""
    return Plane(
        title="The loss around the parameters",
        x="plane_s",
        y="plane_r",
        z="plane",
        x_label="along the gradient, downhill to the right",
        y_label=f"along {fields['second']}",
        z_label="loss",
        marks=(Mark("here", "here"),),
    )


def _told(jump: float, of: str = "") -> str:
    """The jump as a factor; from a gradient of zero there is none."""
    return "up from zero" if jump > _FROM_ZERO else f"{math.exp(jump):.3g} times{of}"
