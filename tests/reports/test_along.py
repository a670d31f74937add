"""An experiment along an axis: which pictures are drawn, and that they hold the table's numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_runs import make_run
from pages import Tables, without_scripts

from farback.experiments._comparison import Comparison
from farback.experiments._line import Line
from farback.experiments._point import Point
from farback.reports._along import along
from farback.reports._beside import of_comparison
from farback.reports._documents import of_comparison as document
from farback.reports._figure import figure
from farback.reports._map import maps
from farback.reports._picture import Picture, table
from farback.reports._sheet_page import page
from farback.reports._window import window
from farback.results.claim import Claim, compare


def stands(at: float, line: str, *claims: Claim, wrong: int = 2, count: int = 4) -> list[Line]:
    """A row of four trials of which so many are not solved."""
    runs = [
        make_run(seed, "unsolved" if seed < wrong else "solved", sequences=100 * count)
        for seed in range(4)
    ]
    point = Point("T (steps)", at, line)
    return [Line(f"T = {at:g}, {line}", compare(it, runs), "", point) for it in claims]


def solved(published: float | None = None) -> Claim:
    return Claim("solved", published, "" if published is None else "table 1")


@pytest.fixture
def lines() -> list[Line]:
    """Two methods at 100, 5 and 20 steps, not in order; one has no row at 20."""
    return [
        *stands(100, "BPTT", solved(0.25), wrong=4),
        *stands(5, "BPTT", solved(0.75), wrong=0),
        *stands(20, "BPTT", solved(), wrong=3),
        *stands(5, "EM", solved(1.0), wrong=1),
        *stands(100, "EM", solved(0.5), wrong=2),
    ]


def only(lines: list[Line]) -> Picture:
    (one,) = along(lines)
    return one


def test_a_curve_a_method_over_rising_places(lines):
    one = only(lines)
    assert [curve.label for curve in one.curves] == ["BPTT", "EM"]
    assert one.categories == ("5", "20", "100")
    np.testing.assert_array_equal(one.curves[0].y, [1.0, 0.25, 0.0])
    np.testing.assert_array_equal(one.curves[1].y, [0.75, np.nan, 0.5])


def test_what_is_published_stands_at_its_place_and_nowhere_else(lines):
    np.testing.assert_array_equal(only(lines).curves[0].published, [0.75, np.nan, 0.25])
    data = {it["name"]: it for it in figure(only(lines), window(only(lines)))["data"]}
    assert data["BPTT, published"]["y"] == [0.75, None, 0.25]
    assert data["BPTT, published"]["marker"]["symbol"].endswith("-open")


def test_places_stand_evenly_in_the_order_of_the_axis_whatever_words_stand_beside(lines):
    axis = figure(only(lines), window(only(lines)))["layout"]["xaxis"]
    assert (axis["type"], axis["categoryarray"]) == ("category", ["5", "20", "100"])
    assert axis["range"] == [-0.5, 2.5]


def test_bars_are_the_95_percent_intervals(lines):
    one = only(lines)
    first = lines[1].compared.ours
    assert (one.curves[0].low[0], one.curves[0].high[0]) == (first.low, first.high)
    bars = next(it for it in figure(one, window(one))["data"] if it["name"] == "BPTT")["error_y"]
    assert bars["arrayminus"][0] == pytest.approx(first.value - first.low, rel=1e-5)
    assert bars["array"][0] == pytest.approx(first.high - first.value, rel=1e-5, abs=1e-12)


def test_the_name_of_a_curve_stands_at_its_last_place_and_not_at_the_number_it_is_called(lines):
    notes = figure(only(lines), window(only(lines)))["layout"]["annotations"]
    assert {it["text"]: it["x"] for it in notes if it.get("xref") == "x"} == {"BPTT": 2, "EM": 2}


def test_the_table_under_a_picture_has_ours_and_the_published(lines):
    header, rows = table(only(lines))
    assert header[:5] == ["T (steps)", "BPTT", "BPTT, low", "BPTT, high", "BPTT, published"]
    assert [row[0] for row in rows] == ["5", "20", "100"]
    assert [row[4] for row in rows] == ["0.75", "", "0.25"]


def test_numbers_over_decades_are_drawn_in_a_log_with_the_published():
    claims = [Claim("presentations", it, "table 1") for it in (100.0, 1e5)]
    one = only(stands(5, "EM", claims[0], wrong=0) + stands(10, "EM", claims[1], wrong=0))
    np.testing.assert_allclose(one.curves[0].published, [2.0, 5.0])
    np.testing.assert_allclose(one.curves[0].y, np.log10([400.0, 400.0]))


def test_every_claimed_measure_has_a_picture_and_the_share_solved_where_none_is_claimed(lines):
    more = [
        line
        for at in (5, 100)
        for line in stands(at, "EM", solved(1.0), Claim("sequences", 300.0, "table 1"))
    ]
    assert [it.title for it in along(more)] == [
        "Share of trials solved, by T (steps)",
        "Sequences until solved, by T (steps)",
    ]
    ours = [it for at in (5, 100) for it in stands(at, "EM", solved(), Claim("error", None, ""))]
    assert only(ours).unit == "share"


def test_rows_of_two_axes_are_drawn_apart(lines):
    other = [replace(it, point=replace(it.point, axis="w0")) for it in lines]
    assert [it.x_label for it in along([*lines, *other])] == ["T (steps)", "w0"]


def test_rows_that_stand_nowhere_or_at_one_place_make_no_picture(lines, comparison):
    assert along(comparison.lines) == () and along(lines[:1]) == ()


def test_the_page_draws_the_picture_and_the_document_tells_the_place(lines):
    comparison = Comparison("Any", "Any 1993, table 1", "", tuple(lines))
    text = page(of_comparison(comparison))
    assert 'id="chart-0"' in text and "Share of trials solved, by T (steps)" in text
    drawn = [it for it in Tables(without_scripts(text)).tables if it[0][0] == "T (steps)"]
    assert [row[0] for row in drawn[0][1:]] == ["5", "20", "100"]
    first = json.loads(document(comparison))["lines"][0]
    assert (first["axis"], first["at"], first["line"]) == ("T (steps)", 100, "BPTT")


@pytest.fixture
def plane() -> list[Line]:
    """Two values of a second choice at two places each; one square is missing."""
    wrong = {("s = 0", 2): 0, ("s = 0", 1): 1, ("s = 1", 2): 4}
    found = [stands(at, name, solved(), wrong=it) for (name, at), it in wrong.items()]
    lines = [line for each in found for line in each]
    return [replace(it, point=replace(it.point, against="noise")) for it in lines]


def test_rows_over_two_choices_are_a_map(plane):
    (one,) = maps(plane)
    assert one.places == ("1", "2")
    assert [name for name, _ in one.rows] == ["s = 1", "s = 0"]
    texts = [[it.text for it in fields] for _, fields in one.rows]
    assert texts == [["", "0"], ["0.75", "1"]]
    assert one.rows[1][1][0].share == 0.75


def test_the_page_holds_the_map_and_matplotlib_draws_it(plane):
    comparison = Comparison("Latch", "a source", "", tuple(plane))
    text = page(of_comparison(comparison))
    assert '<table class="map" ' in text and 'style="--dark: 0.75"' in text
    axes = comparison.plot("solved")
    assert [it.get_text() for it in axes.get_yticklabels()] == ["s = 0", "s = 1"]
    drawn = axes.images[0].get_array()
    np.testing.assert_array_equal(np.ma.filled(drawn, np.nan), [[0.75, 1], [np.nan, 0]])


def test_the_map_names_both_choices(plane):
    comparison = Comparison("Latch", "a source", "", tuple(plane))
    assert "Up: noise; along: T (steps)." in page(of_comparison(comparison))
    assert comparison.plot("solved").get_ylabel() == "noise"


def test_more_values_than_can_be_told_apart_are_a_map_alone(plane):
    many = [
        replace(plane[0], point=replace(plane[0].point, line=f"s = {it}", at=at))
        for it in range(13)
        for at in (1, 2)
    ]
    assert along(many) == () and len(maps(many)[0].rows) == 13
    assert along(many[:4])


def test_what_is_for_figures_alone_is_drawn_and_not_tabled(plane):
    shown = [replace(it, row="sum", point=None) for it in plane[:1]]
    comparison = Comparison("Latch", "a source", "", (*shown, *_untabled(plane)))
    assert str(comparison).splitlines()[-1].startswith("sum ")
    assert len(str(comparison).splitlines()) == 5
    sheet = of_comparison(comparison)
    assert [it.labels for it in sheet.lines] == [("sum",)] and len(sheet.maps) == 1
    assert comparison._repr_html_().count("<tr>") == 2


def _untabled(lines: list[Line]) -> list[Line]:
    return [replace(it, tabled=False) for it in lines]


def test_rows_that_are_not_mapped_make_no_map(lines):
    assert maps(lines) == ()
