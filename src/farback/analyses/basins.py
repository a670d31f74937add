"""The basins of attraction in a plane of the state: which start comes to which attractor.

    (1)  beta(X) = the states whose orbit under M(s) = F(s, x), x constant, converges to X
    (2)  |J(s)| < 1 and rho(J(s)) < 1: where one step shrinks every error, and where its eigenvalues
         lie inside the unit circle
    (3)  Gamma(X) = the states y of beta(X) with rho((M^l)'(y)) < 1 for every l >= 1: the reduced
         attracting set, where a state is robustly latched

Axes: two directions of the state; T steps and B rows of the trajectories.

How to read it: each colour is a basin; the lines are where the norm, the spectral radius and (3)
change sides. A trajectory that stays inside a basin's Gamma holds its bit against noise, and there
the error along it decays. Between the Gammas a little noise can move a state to another basin, and
that is where the error does not decay. The distance to the boundary says how large one push must
be. With more than two numbers in the state the plane is a cut: what lies beside it is projected,
and may belong to another basin than the colour below it says.

Eigenvalues inside the unit circle at every l bound no norm: with J = [[0.5, 10], [0, 0.5]] an error
grows tenfold before it decays. The norm's region is the one that is sure.

Reference: Bengio, Simard and Frasconi 1994, definitions 1 to 5 and figure 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import expect
from ..flow import Chart, Finding, Line, Mark, Measurement, Number, Plane, Series, Trace
from ._analysis import Analysis
from ._autonomous import conditions, driven, followed
from ._basin_map import DRAWN, basin_map
from ._contraction import EXACT, PATIENCE
from ._survey import survey


@dataclass(frozen=True)
class Basins(Analysis):
    """Basins, contraction and trajectories in a plane.

    Args:
        coordinates: the places of two numbers of the state; by default as `_plane` chooses.
        resolution: points along each side; by default 1001 on a line, 128 with two numbers, fewer
            with more.
        input: the constant input, one number each; by default the mean of the batch.
        rows: of how many rows of the batch the distance to the boundary is measured.
        starts: how many states are followed to find the attractors; by default as `Attractors`.
        steps: how long a state may take to settle.
        seed: of the starts and of the rays to the boundary.
    """

    coordinates: tuple[int, int] | None = None
    resolution: int | None = None
    input: tuple[float, ...] | None = None
    rows: int = 8
    starts: int | None = None
    steps: int = 1000
    seed: int = 0

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(2, resolution=2 if self.resolution is None else self.resolution)
        expect(2, starts=2 if self.starts is None else self.starts)
        expect(1, rows=self.rows, steps=self.steps)
        expect(0, seed=self.seed)

    def applies(self, trace: Trace) -> bool:
        return bool(followed(trace))

    def measure(self, trace: Trace) -> Measurement:
        blocks: dict[str, Measurement] = {}
        for path, here in driven(trace, self.input, "Basins"):
            found = survey(here, starts=self.starts, steps=self.steps, seed=self.seed)
            fields = basin_map(
                found,
                coordinates=self.coordinates,
                resolution=self.resolution,
                rows=self.rows,
                steps=self.steps,
                seed=self.seed,
            )
            blocks[path.name] = Measurement(path.name, "Basins of attraction.", fields)
        most = max(blocks, key=lambda name: len(blocks[name].classes))
        fields = {**blocks[most].fields, "path": most}
        flat = "y" not in fields
        return Measurement(
            name="basins",
            summary="Which state comes to which attractor, and where the map contracts.",
            fields=fields,
            blocks=blocks,
            charts=(*(_of_line(fields) if flat else ()), *_of_distance(fields)),
            planes=() if flat else _planes(fields),
            numbers=(
                Number("Basins", str(len(fields["classes"])), fields["about"]),
                Number("Robustly latched", f"{fields['gamma_share']:.0%}", "of what is drawn"),
            ),
            conditions=(
                *conditions(trace, self.input),
                f"norm and radius exact up to {EXACT} numbers of a state, by power iteration above "
                "(the norm from below); (3) up to as many, with more than two at l = 1 ... 8 "
                "and then at half octaves",
                f"a larger state has at most {PATIENCE} steps to settle; the distance to the "
                "boundary is the least over the rays tried",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        count = len(m.classes)
        if count < 2:
            claim = f"{m.path} has {count or 'no'} basin{'' if count == 1 else 's'}: no boundary"
            return Finding("basins", claim + " divides its states", m.about)
        claim = (
            f"{m.path} has {count} basins; {m.gamma_share:.0%} of what is drawn lies where a state "
            "is robustly latched"
        )
        nearest, last = float(min(m.nearest)), float(m.middle[-1])
        evidence = (
            f"{m.about}; the batch's states come as near as {nearest:.3g} to a boundary, and at "
            f"the last step half of them are within {last:.3g}"
        )
        return Finding("basins", claim, evidence)


def _planes(fields: dict[str, Any]) -> tuple[Plane, ...]:
    marks = [Mark("attractors", "attractors"), Mark("saddles", "saddles")]
    marks += [Mark("repellers", "repellers")]
    marks += [Mark(f"row {n}", f"trajectory_{n}", True) for n in range(1, DRAWN + 1)]
    marks = [it for it in marks if len(fields.get(it.points, ()))]
    contours = [("norm of J is 1", "log_norm"), ("spectral radius of J is 1", "log_radius")]
    if "gamma" in fields:
        contours.append(("edge of the reduced attracting sets", "gamma"))
    common = {"x": "x", "y": "y", "x_label": fields["x_label"], "y_label": fields["y_label"]}
    return (
        Plane(
            title="Basins of attraction",
            z="which",
            z_label="attractor",
            unit="class",
            classes=tuple(fields["classes"]),
            contours=tuple(contours),
            marks=tuple(marks),
            caption=f"{fields['about'].capitalize()}. White: not settled.",
            **common,
        ),
        Plane(
            title="Norm of the step's Jacobian",
            z="log_norm",
            z_label="log10 of the norm",
            unit="ln",
            contours=tuple(contours[:1]),
            marks=tuple(marks),
            **common,
        ),
    )


def _of_line(fields: dict[str, Any]) -> tuple[Chart, ...]:
    return (
        Chart(
            title="Slope of the map at each state",
            x="x",
            x_label=fields["x_label"],
            y_label="log10 of |M'|",
            unit="ln",
            series=(Series("|M'|", "log_norm"),),
            lines=(Line("y", 0.0, "one: below, errors shrink"),),
        ),
        Chart(
            title="Basin of each state",
            x="x",
            x_label=fields["x_label"],
            y_label="attractor",
            unit="",
            series=(Series("basin", "which"), Series("in the reduced attracting set", "gamma")),
            caption="; ".join(f"{n}: {name}" for n, name in enumerate(fields["classes"])),
        ),
    )


def _of_distance(fields: dict[str, Any]) -> tuple[Chart, ...]:
    if not len(fields["times"]):
        return ()
    return (
        Chart(
            title="Distance to the basin boundary along the batch",
            x="times",
            x_label="step",
            y_label="distance of the state to another basin",
            unit="",
            series=(Series("median over rows", "middle"), Series("nearest row", "nearest")),
        ),
    )
