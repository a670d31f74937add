"""What a chart shows: units, gaps, bands, lines, and what it keeps of a long curve."""

from __future__ import annotations

import math

import numpy as np
import pytest

from farback.flow import Chart, Line, Measurement, Series
from farback.reports._figure import figure
from farback.reports._palette import COLOURS, curve_role, dash
from farback.reports._picture import overlay, picture, table
from farback.reports._window import window

LN10 = math.log(10)


def drawn(y, *, unit="ln", lines=(), **more):
    fields = {"lags": np.arange(len(y), dtype=float), "y": np.asarray(y, dtype=float), **more}
    series = (Series("y", "y", *(name if name in more else None for name in ("low", "high"))),)
    chart = Chart("Title", "lags", "lag", "log10 norm", unit, series, tuple(lines))
    return picture(Measurement("any", "", fields, charts=(chart,)), chart)


def trace(one, name="y"):
    return next(t for t in figure(one, window(one))["data"] if t.get("name") == name)


def test_ln_is_drawn_as_log10():
    assert trace(drawn([0.0, -LN10, -2 * LN10]))["y"] == [0.0, -1.0, -2.0]


def test_share_is_drawn_from_0_to_1():
    low, high = window(drawn([0.4, 0.5], unit="share")).y
    assert low <= 0 and high >= 1


def test_true_zero_is_a_gap_and_the_notes_say_so():
    one = drawn([0.0, -np.inf, -1.0])
    assert trace(one)["y"][1] is None and any("true zero" in note for note in one.notes)


def test_unmeasured_point_is_not_called_zero():
    assert not any("true zero" in note for note in drawn([0.0, np.nan]).notes)


def test_band_ends_at_a_gap():
    y = np.array([0.0, -1.0, -np.inf, -2.0, -3.0])
    band = figure(one := drawn(y, low=y - 1, high=y + 1), window(one))["data"][0]
    assert band["fill"] == "toself" and band["x"] == [0, 1, 1, 0, None, 3, 4, 4, 3]


def test_horizontal_line_is_drawn_in_the_unit_of_the_curves():
    one = drawn([0.0, -10 * LN10], lines=[Line("y", -7 * LN10, "floor")])
    assert window(one).inside[0].at == pytest.approx(-7)


def test_line_far_below_is_named_at_the_edge_and_does_not_squash_the_curve():
    one = drawn([0.0, -2 * LN10], lines=[Line("y", -45 * LN10, "float32 floor")])
    seen = window(one)
    assert seen.y[0] > -3 and seen.notes == ("Beyond the edge of the picture: float32 floor −45.",)


def test_needed_lag_beyond_the_data_widens_the_axis():
    assert window(drawn(np.zeros(64), lines=[Line("x", 120, "needed lag 120")])).x[1] > 120


def test_needed_lag_far_beyond_the_data_is_named_at_the_edge():
    seen = window(drawn(np.zeros(64), lines=[Line("x", 4000, "needed lag 4000")]))
    assert seen.x[1] < 70 and seen.beyond[0][0] == "after"


def test_noise_on_a_flat_curve_spans_a_decade():
    low, high = window(drawn(1e-9 * np.arange(50))).y
    assert high - low >= 1


def test_long_curve_keeps_its_first_lags_its_end_and_both_sides_of_a_gap():
    y = -np.arange(20_000.0)
    y[12_345] = -np.inf
    kept = drawn(y).curves[0].x
    assert kept.size < 1000 and {0, 1, 99, 12_344, 12_345, 12_346, 19_999} <= set(kept.tolist())


def test_missing_field_is_named():
    chart = Chart("T", "lags", "lag", "y", "share", (Series("gone", "gone"),))
    assert picture(Measurement("any", "", {}), chart).notes == ("Not measured: gone.",)


def test_curves_of_unequal_length_share_one_table():
    fields = {"lags": np.arange(3.0), "a": np.array([1.0, 2.0, 3.0]), "b": np.array([4.0])}
    chart = Chart("T", "lags", "lag", "y", "steps", (Series("a", "a"), Series("b", "b")))
    assert table(picture(Measurement("any", "", fields), chart)) == (
        ["lag", "a", "b"],
        [["0", "1", "4"], ["1", "2", ""], ["2", "3", ""]],
    )


def test_overlay_holds_the_first_curve_of_each_profile(pair):
    assert [curve.label for curve in overlay(pair, ["A", "B"]).curves] == ["A", "B"]


def test_overlay_speaks_only_of_the_curves_that_it_shows(pair):
    assert not any("true zero" in note for note in overlay(pair, ["A", "B"]).notes)


def test_overlay_names_the_profile_that_it_cannot_show(profile, silent):
    notes = overlay([profile, silent], ["A", "B"]).notes
    assert any(note.endswith("unit: B.") for note in notes)


def test_overlay_draws_a_common_line_once(pair):
    lines = overlay(pair, ["A", "B"]).lines
    assert len(lines) == len(set(lines)) == 3


def test_label_of_a_line_stands_where_no_curve_crosses_it():
    one = drawn(-0.4 * np.arange(64.0), lines=[Line("y", -2 * LN10, "float16 floor")])
    (note,) = (n for n in figure(one, window(one))["layout"]["annotations"] if "floor" in n["text"])
    assert note["xanchor"] == "right"


def test_names_of_curves_that_end_together_stand_apart():
    fields = {"lags": np.arange(9.0), "a": np.zeros(9), "b": np.full(9, -1e-3)}
    chart = Chart("T", "lags", "lag", "y", "ln", (Series("a", "a"), Series("b", "b")))
    one = picture(Measurement("any", "", fields), chart)
    notes = figure(one, window(one))["layout"]["annotations"]
    shifts = {note["text"]: note["yshift"] for note in notes if note["text"] in "ab"}
    assert shifts["a"] - shifts["b"] > 15


def test_text_in_a_figure_is_escaped():
    chart = Chart("T", "lags", "<a href=x>", "y", "steps", (Series("<b>", "y"),))
    one = picture(Measurement("any", "", {"y": [1.0]}), chart)
    assert "<a" not in str(figure(one, window(one))) and "<b>" not in str(figure(one, window(one)))


def test_no_two_of_36_curves_look_alike():
    assert len({(curve_role(place), dash(place)) for place in range(36)}) == 36


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("role", sorted(set(COLOURS) - {"paper", "rule", "grid"}))
def test_every_ink_has_contrast(role, mode):
    ink, paper = sorted((luminance(COLOURS[role][mode]), luminance(COLOURS["paper"][mode])))
    assert (paper + 0.05) / (ink + 0.05) >= 4.5


def luminance(code: str) -> float:
    parts = [int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_points_without_an_order_are_not_joined():
    one = picture(
        Measurement("any", "", {"x": np.arange(3.0), "y": np.array([2.0, 1.0, 3.0])}),
        Chart("Title", "x", "place", "rate", "", (Series("y", "y"),), joined=False),
    )
    assert trace(one)["mode"] == "markers" and trace(drawn([2.0, 1.0]))["mode"] == "lines+markers"


def test_places_nearer_than_a_step_fill_the_width():
    fields = {"x": np.linspace(-0.2, 0.2, 9), "y": np.arange(9.0)}
    chart = Chart("Title", "x", "place", "loss", "", (Series("y", "y"),))
    assert window(picture(Measurement("any", "", fields), chart)).x == pytest.approx(
        (-0.2048, 0.2048)
    )


def test_a_natural_log_that_is_drawn_as_it_is_keeps_its_name():
    fields = {"x": np.arange(3.0), "y": np.arange(3.0)}
    chart = Chart("Title", "x", "place", "ln of the radius", "", (Series("y", "y"),))
    assert picture(Measurement("any", "", fields), chart).y_label == "ln of the radius"
