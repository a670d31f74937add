"""The page of a sheet, without a browser."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pages import HOSTILE, Tables, without_scripts

from farback.reports import report
from farback.reports._beside import of_comparison
from farback.reports._sheet_page import page
from farback.reports._tabled import of_runs
from farback.results import Runs


@pytest.fixture(scope="module")
def text(runs) -> str:
    return page(of_runs(runs))


def words(text: str) -> str:
    return " ".join("".join(Tables(without_scripts(text)).words).split())


def test_the_sentence_stands_whole(runs, text):
    assert f"{runs.sentence}." in words(text)


def test_every_square_of_the_matrix_is_in_its_table(runs, text):
    matrix = Tables(without_scripts(text)).tables[0]
    assert matrix[0] == ["cell", "EmbeddedReber()", "Adding()"]
    for row, line in zip(matrix[1:], of_runs(runs).lines, strict=True):
        for told, square in zip(row[1:], line.squares, strict=True):
            assert all(part in told for part in (square.text, square.interval, *square.notes))


def test_every_trial_is_a_row_of_a_table(runs, text):
    rows = [row for table in Tables(without_scripts(text)).tables for row in table]
    assert {run.trial.id for run in runs} <= {row[-1] for row in rows}


def test_the_data_of_every_chart_stands_under_it(text):
    assert text.count('class="plot"') == text.count("The data of this chart") == 7


def test_the_same_runs_give_the_same_bytes(runs, tmp_path):
    one, two = (report(runs, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert one == two


def test_hostile_text_is_escaped_everywhere(runs):
    sheet = of_runs(runs)
    group = replace(sheet.groups[0], name=HOSTILE, title=HOSTILE)
    hostile = replace(sheet, title=HOSTILE, sentence=HOSTILE, notes=(HOSTILE,), groups=(group,))
    assert "<script>alert" not in page(hostile) and "<img" not in page(hostile)


def test_the_page_names_no_place_on_the_network(text):
    links = re.findall(r"""(?:src|href)\s*=\s*"([^"]*)""", without_scripts(text))
    assert links and all(link.startswith("#group-") for link in links)


def test_a_comparison_tells_published_and_verdict(comparison):
    told = words(page(of_comparison(comparison)))
    assert "published 9,000 (table 1, row 2): outside" in told
    assert "published some fraction (table 1, row 1): not comparable" in told


def test_no_runs_have_a_page(tmp_path):
    assert "There are no trials to show." in page(of_runs(Runs()))
