"""The page, without a browser."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from pages import HOSTILE, Tables, without_scripts

from farback.errors import InputRefused, WrongUsage
from farback.flow import Chart, Measurement, Series, load
from farback.reports import report
from farback.reports._frame import publish
from farback.reports.html import page


def test_table_of_the_leading_chart_equals_the_json(profile):
    block = json.loads(profile.to_json())["measurements"]["adjoint_decay"]["blocks"]["lstm.l0"]
    rows = Tables(without_scripts(page([profile]))).tables[0][1:]
    assert [row[:2] for row in rows] == [
        [f"{lag:.0f}", f"{value / math.log(10):.6g}"]
        for lag, value in zip(block["lags"], block["log_norm"], strict=True)
    ]


def test_first_numbers_equal_the_json(profile):
    numbers = json.loads(profile.to_json())["measurements"]["adjoint_decay"]["numbers"][:3]
    found = re.findall(r'<dd class="number">(.*?)</dd>', page([profile]))
    assert found == [number["text"] for number in numbers]


def test_null_in_the_json_is_a_zero_in_the_table(profile):
    rows = Tables(without_scripts(page([profile]))).tables[0]
    assert rows[-1][rows[0].index("c")] == "zero"


def test_same_profile_gives_the_same_bytes(profile, tmp_path):
    one = report(profile, tmp_path / "one.html")
    two = report(profile, tmp_path / "two.html")
    assert one.read_bytes() == two.read_bytes()


def test_saved_profile_gives_the_same_bytes_as_the_living_one(profile, tmp_path):
    saved = profile.save(tmp_path / "profile.json")
    assert report(saved, tmp_path / "a.html").read_bytes() == page([profile]).encode()


def test_hostile_text_is_escaped_everywhere(profile):
    decay = profile["adjoint_decay"]
    chart = replace_chart(
        decay.charts[0], title=HOSTILE, caption=HOSTILE, y_label=HOSTILE, x_label=HOSTILE
    )
    hostile = replace(
        profile,
        subject=HOSTILE,
        reading=HOSTILE,
        notes=(HOSTILE,),
        settings={HOSTILE: HOSTILE},
        measurements={"adjoint_decay": replace(decay, summary=HOSTILE, charts=(chart,))},
    )
    assert "<script>alert" not in page([hostile]) and "<img" not in page([hostile])


def replace_chart(chart: Chart, **changes) -> Chart:
    return msgspec.structs.replace(chart, **changes)


def test_scalar_fields_that_no_chart_draws_are_in_a_table(profile):
    tables = Tables(without_scripts(page([profile]))).tables
    assert ["lag · float16", "41"] in [row for table in tables for row in table]


def test_page_names_no_place_on_the_network(profile):
    text = without_scripts(page([profile]))
    assert not re.search(r"""(src|href)\s*=|url\(|@import""", text)


def test_every_sentence_of_several_profiles_is_on_the_page(pair):
    words = " ".join("".join(Tables(without_scripts(page(pair))).words).split())
    assert all(profile.verdict.sentence in words for profile in pair)


def test_profile_without_measurements_has_a_page(silent):
    assert "There is no curve to draw" in page([silent])


def test_empty_curve_has_a_page(silent):
    chart = Chart("Empty", "lags", "lag", "norm", "ln", (Series("whole", "log_norm"),))
    empty = Measurement(
        "adjoint_decay", "", {"lags": np.array([]), "log_norm": np.array([])}, charts=(chart,)
    )
    assert "no values" in page([replace(silent, measurements={"adjoint_decay": empty})])


def test_missing_folder_is_refused(profile, tmp_path):
    with pytest.raises(InputRefused, match="There is no folder"):
        report(profile, tmp_path / "absent" / "a.html")


def test_folder_as_target_is_refused(profile, tmp_path):
    with pytest.raises(InputRefused, match="is a folder; name a file"):
        report(profile, tmp_path)


def test_failed_write_leaves_the_old_page(tmp_path):
    (tmp_path / "a.html").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        publish("\ud800", tmp_path / "a.html")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_no_profile_is_refused(tmp_path):
    with pytest.raises(WrongUsage, match="at least one profile"):
        report([], tmp_path / "a.html")


def test_foreign_object_is_refused_by_its_type(tmp_path):
    with pytest.raises(InputRefused, match="got a int, not a profile"):
        report([3], tmp_path / "a.html")


def test_page_of_a_saved_profile_equals_that_of_the_loaded_one(profile, tmp_path):
    saved = profile.save(tmp_path / "profile.json")
    assert page([load(saved)]) == page([profile])


def test_importing_the_room_loads_nothing_heavy():
    heavy = "torch", "numpy", "plotly", "jinja2", "rich", "msgspec"
    code = f"import sys, farback.reports; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_writing_a_page_never_loads_torch(profile, tmp_path):
    saved = profile.save(tmp_path / "profile.json")
    code = (
        "import sys; from farback.reports import report, show; "
        f"report({str(saved)!r}, {str(tmp_path / 'a.html')!r}); show({str(saved)!r}); "
        "sys.exit('torch' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode
        == 0
    )


def test_wheel_carries_the_page_parts():
    import farback.reports

    room = Path(farback.reports.__file__).parent
    assert {path.name for path in room.glob("page.*")} == {"page.html.j2", "page.css", "page.js"}
