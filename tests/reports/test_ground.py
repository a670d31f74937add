"""A plane as it is drawn and told."""

import math

import numpy as np
import pytest

from farback.flow import Measurement, Plane
from farback.reports._ground import MOST, TOLD, figure, ground, table


@pytest.fixture
def drawn(mapped):
    basins = mapped["basins"]
    return [ground(basins, plane) for plane in basins.planes]


def test_a_fine_field_is_thinned_and_says_so(drawn):
    kinds, _ = drawn
    assert kinds.z.shape == (100, MOST) and "thinned" in kinds.notes[0]
    assert kinds.x[0] == -2 and kinds.x[-1] == 2


def test_a_log_is_drawn_as_log10(drawn):
    _, loss = drawn
    assert loss.z.min() == pytest.approx(-5 / math.log(10), rel=1e-2)


def test_the_table_tells_kinds_by_name_and_where_the_marks_are(drawn):
    header, rows = table(drawn[0])
    assert len(header) == TOLD + 1
    assert rows[-3][0] == "-1" and set(rows[-3][1:]) == {"none of these"}
    assert rows[0][1] == "to the first" and rows[0][-1] == "to <second>"
    assert rows[-2][:3] == ["attractors", "(-1, 0)", "(1, 0)"]
    assert rows[-1][0] == "a row of the batch" and rows[-1][1] == "(0, 0)"


def test_the_figure_has_a_field_a_contour_and_its_marks(drawn):
    kinds = [trace["type"] for trace in figure(drawn[0], height=400)["data"]]
    assert kinds == ["heatmap", "contour", "scatter", "scatter", "scatter", "scatter"]


def test_a_name_with_markup_goes_in_escaped(drawn):
    names = [trace.get("name") for trace in figure(drawn[0], height=400)["data"]]
    assert "to &lt;second>" in names or "to &lt;second&gt;" in names


def test_what_is_not_finite_is_a_gap():
    z = np.array([[0.0, -np.inf], [np.nan, 1.0]])
    plane = Plane("p", "x", "y", "z", "x", "y", "z")
    pair = np.array([0.0, 1.0])
    held = Measurement("m", "", {"x": pair, "y": pair, "z": z}, planes=(plane,))
    (field, *_) = figure(ground(held, plane), height=300)["data"]
    assert field["z"] == [[0.0, None], [None, 1.0]]


def test_a_legend_of_longer_names_takes_more_room_below_the_field(drawn):
    kinds, loss = (figure(one, height=400)["layout"]["height"] for one in drawn)
    assert kinds > loss == 400
