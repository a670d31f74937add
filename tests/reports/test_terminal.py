"""Profiles in a terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from farback.flow import Verdict
from farback.reports import show


def shown(profiles, *, width=80, **console) -> str:
    out = io.StringIO()
    show(profiles, Console(file=out, width=width, **console))
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_sentence_stands_whole(profile):
    assert profile.verdict.sentence in flat(shown(profile))


def test_severity_is_a_word(profile):
    assert shown(profile).startswith("[bad] ")


def test_reading_stands_on_a_line_of_its_own(profile):
    assert profile.reading in [line.strip() for line in shown(profile).splitlines()]


def test_every_number_of_the_leading_measurement_is_shown(profile):
    text = shown(profile)
    assert all(number.text in text for number in profile["adjoint_decay"].numbers)


def test_every_remedy_comes_with_its_reason(profile):
    text = flat(shown(profile))
    assert all(f"{remedy.what} {remedy.why}" in text for remedy in profile.verdict.remedies)


def test_findings_of_other_analyses_are_shown(profile):
    text = shown(profile, width=100)
    assert all(finding.claim in text for finding in profile.findings[1:])


def test_what_was_not_checked_is_shown(profile):
    text = flat(shown(profile).partition("Not checked")[2])
    assert all(item in text for item in profile.verdict.unchecked)


def test_sparkline_is_labelled_with_its_extremes_and_lags(profile):
    text = shown(profile)
    assert "0 .. 63" in text and "max -0.521, min -8.85" in text


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120])
def test_no_line_is_wider_than_the_console(pair, width):
    long = replace(pair[0], subject="module.path:" + "x" * 150)
    assert max(map(cell_len, shown([long, *pair], width=width).splitlines())) <= width


def test_without_a_terminal_the_text_is_plain(profile):
    assert "\x1b" not in shown(profile)


def test_no_color_is_honoured(profile, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in shown(profile, force_terminal=True).replace("1;31m", "31m")


def test_markup_in_a_subject_is_not_read(profile):
    assert "[red]x[/red]" in shown(replace(profile, subject="[red]x[/red]"))


def test_control_characters_never_reach_the_terminal(profile):
    assert "\x1b" not in shown(replace(profile, notes=("\x1b]0;owned\x07",)))


def test_two_profiles_end_in_one_comparison(pair):
    rows = [line.split() for line in shown(pair).splitlines()]
    assert ["severity", "bad", "bad"] in rows and ["verdict", "vanishes", "vanishes"] in rows


def test_four_profiles_are_compared_row_by_row(pair):
    last = shown([*pair, *pair], width=100).rstrip().splitlines()[-1]
    assert last.split()[:3] == ["4", "·", "Reader:"] and "63 steps" in last


def test_profile_without_measurements_is_shown(silent):
    assert "no signal: the loss does not depend" in shown(silent)


def test_unknown_severity_is_shown_as_it_stands(silent):
    assert shown(replace(silent, verdict=Verdict("new", "odd", "new: odd"))).startswith(
        "[odd] new: odd"
    )
