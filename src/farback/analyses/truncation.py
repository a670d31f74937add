"""Whether the code cuts the graph between steps, and after how many.

A state that is detached, or started anew, ends every path of the error there. The cuts are read
from the chain of states itself, not from where the gradient stops: k is the largest number of steps
between two cuts, so that adjoints reach lag k - 1 at most.

How to read it: this is a fact about the code, and no weights can change it. Truncated
back-propagation is often meant; then compare k with the reach of the same model without the cut.

Reference: Williams and Peng 1990 (truncated back-propagation through time).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from ..flow import Finding, Measurement, Number, Remedy, Trace
from ._analysis import Analysis


@dataclass(frozen=True)
class Truncation(Analysis):
    """The number of steps between two cuts of the graph, or None."""

    depth = "quick"

    def applies(self, trace: Trace) -> bool:
        return trace.recurrent

    def measure(self, trace: Trace) -> Measurement:
        steps = {path.name: _longest(path.cuts, trace.steps) for path in trace.paths}
        cut = [k for k in steps.values() if k is not None]
        whole = max(cut) if cut and len(cut) == len(steps) else None
        return Measurement(
            name="truncation",
            summary="Whether the code cuts the graph between steps.",
            fields={
                "steps": whole,
                "by_path": steps,
                "cuts": {path.name: list(path.cuts) for path in trace.paths if path.cuts},
                "reason": next((path.cut_reason for path in trace.paths if path.cuts), ""),
                "needs": trace.needs,
            },
            numbers=(Number("Truncated", "nowhere" if whole is None else f"at {whole} steps"),),
            conditions=("read from the graph, independent of the weights",),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        if m.steps is None:
            partly = [name for name, k in m.by_path.items() if k is not None]
            claim = "the graph is not cut between steps"
            if partly:
                claim = f"the graph is cut in {', '.join(partly)}, but not everywhere"
            return Finding(m.name, claim, "every state was followed to the one before")
        return Finding(
            analysis=m.name,
            claim=(
                f"the graph is cut {_where(m)} ({m.reason}), so no error passes more than "
                f"{m.steps - 1} steps back, whatever the weights"
            ),
            evidence=f"cuts before steps {_listed(m.cuts)}",
            severity="watch" if m.needs is None else "ok" if m.steps > m.needs else "bad",
            word=f"truncated at {m.steps}",
            remedies=(
                Remedy(
                    "remove the detach, or lengthen the window to more than the task's lag"
                    if m.needs is None
                    else f"remove the detach, or use a window of more than {m.needs} steps",
                    f"the code cuts the graph: {m.reason}",
                ),
            ),
        )


def _longest(cuts: tuple[int, ...], steps: int) -> int | None:
    if not cuts:
        return None
    bounds = sorted({0, *cuts, steps})
    return max(after - before for before, after in pairwise(bounds))


def _where(m: Measurement) -> str:
    """'every 5 steps', or where the only cut is."""
    places = sorted({int(step) for steps in m.cuts.values() for step in steps})
    return f"every {m.steps} steps" if len(places) > 1 else f"before step {places[0]}"


def _listed(cuts: dict[str, list[int]]) -> str:
    places = sorted({int(step) for steps in cuts.values() for step in steps})
    shown = ", ".join(map(str, places[:6]))
    return f"{shown}, ..." if len(places) > 6 else shown
