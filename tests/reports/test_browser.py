"""The page as Chromium shows it."""

from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from farback.reports import report
from farback.results.claim import Claim

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --disable-dev-shm-usage"
).split()
SCREEN = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """One headless Chromium; FARBACK_REQUIRE_BROWSER=1 makes its absence a failure."""
    browser = os.environ.get("FARBACK_CHROMIUM") or shutil.which("chromium")
    driver = os.environ.get("FARBACK_CHROMEDRIVER") or shutil.which("chromedriver")
    if not (browser and driver):
        reason = "no chromium and chromedriver on the path; name one with FARBACK_CHROMIUM"
        if os.environ.get("FARBACK_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SCREEN)
    window.set_script_timeout(60)
    yield window
    window.quit()


@pytest.fixture(
    scope="module", params=["profile", "pair", "silent", "mapped", "runs", "comparison"]
)
def opened(request, chromium, tmp_path_factory):
    """Pages of profiles, one without a curve, and of results; opened once for all that look."""
    profiles = request.getfixturevalue(request.param)
    return open_page(chromium, profiles, tmp_path_factory.mktemp("page"))


@pytest.fixture
def single(chromium, profile, tmp_path):
    return open_page(chromium, profile, tmp_path)


def open_page(window, profiles, folder: Path):
    for log in ("browser", "performance"):
        window.get_log(log)
    window.get(report(profiles, folder / "page.html").as_uri())
    return window


def paint(window, scheme: str):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def test_console_holds_no_error(opened):
    assert opened.get_log("browser") == []


def test_no_request_leaves_the_file(opened):
    events = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert asked and all(url.startswith(("file:", "data:")) for url in asked)


def test_first_screen_needs_no_scrolling(opened):
    outside = opened.execute_script(
        """return [...document.querySelectorAll(
             '.first .sentence, .first .plot, .first .number, .first .remedies, ' +
             '.first .unchecked, .first .matrix, .first .whisker')]
           .filter((element) => {
             const box = element.getBoundingClientRect();
             const within = box.top >= 0 && box.bottom <= 720 && box.left >= 0 && box.right <= 1280;
             return !within || !box.height;
           }).map((element) => element.outerHTML.slice(0, 80))"""
    )
    assert outside == []


def test_page_never_scrolls_sideways(opened):
    width = opened.execute_script("return document.documentElement.scrollWidth")
    assert width <= SCREEN["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened, scheme):
    from axe_core_python.selenium import Axe

    paint(opened, scheme)
    found = Axe().run(opened)["violations"]
    paint(opened, "light")
    assert [(rule["id"], [node["html"][:90] for node in rule["nodes"]]) for rule in found] == []


def test_numbers_in_the_page_equal_the_json(single, profile):
    numbers = json.loads(profile.to_json())["measurements"]["adjoint_decay"]["numbers"][:3]
    shown = single.execute_script(
        "return [...document.querySelectorAll('.first .number')].map((e) => e.textContent)"
    )
    assert shown == [number["text"] for number in numbers]


def test_drawn_curve_equals_the_json(single, profile):
    block = json.loads(profile.to_json())["measurements"]["adjoint_decay"]["blocks"]["lstm.l0"]
    drawn = single.execute_script(
        "return document.getElementById('chart-0').data.find((t) => t.name === 'whole state').y"
    )
    assert drawn == pytest.approx([value / math.log(10) for value in block["log_norm"]], rel=1e-5)


def test_pointing_at_a_plane_says_what_is_there(chromium, mapped, tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    window = open_page(chromium, mapped, tmp_path)
    plot = window.find_element(By.CSS_SELECTOR, "figure.plane .plot")
    window.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    drag = plot.find_element(By.CSS_SELECTOR, ".nsewdrag")
    for shift, kind in ((-100, "to the first"), (100, "to <second>")):
        ActionChains(window).move_to_element_with_offset(drag, shift, 0).perform()
        said = window.find_element(By.CSS_SELECTOR, "figure.plane .reading").text
        assert said.startswith("state 1 ") and said.endswith(f": {kind}")


def test_arrow_keys_move_the_point_and_say_its_values(single, profile):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    plot = single.find_element(By.ID, "chart-0")
    plot.send_keys(Keys.ARROW_RIGHT * 3, Keys.ARROW_LEFT)
    points = single.execute_script("return document.getElementById('chart-0').data.at(-1).x")
    said = single.find_element(By.CSS_SELECTOR, "[aria-live]").text
    value = profile["adjoint_decay"].log_norm[1] / math.log(10)
    assert set(points) == {1} and said.startswith(f"lag 1: whole state −{-value:.4g} (")


def test_home_and_end_reach_the_first_and_the_last_lag(single):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    plot = single.find_element(By.ID, "chart-0")
    reached = []
    for key in (Keys.END, Keys.HOME):
        plot.send_keys(key)
        reached.append(plot.get_attribute("data-at"))
    assert reached == ["63", "0"]


def test_charts_follow_a_change_to_dark(single):
    ask = "return document.getElementById('chart-0').layout.paper_bgcolor"
    paint(single, "light")
    before = single.execute_script(ask)
    paint(single, "dark")
    after = single.execute_script(
        f"return new Promise((done) => setTimeout(done, 300)).then(() => {{{ask}}})"
    )
    paint(single, "light")
    assert (before, after) == ("#fdfcf9", "#16181c")


@pytest.fixture
def results(chromium, runs, tmp_path):
    return open_page(chromium, runs, tmp_path)


DRAWN = "return document.querySelectorAll('#group-2 .plot .main-svg').length"


def test_a_square_leads_to_learning_curves_that_are_drawn_on_demand(results):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    assert results.execute_script(DRAWN) == 0
    results.find_element(By.CSS_SELECTOR, '.matrix a[href="#group-2"]').send_keys(Keys.ENTER)
    top = "return document.getElementById('group-2').getBoundingClientRect().top"
    results.execute_script("return new Promise((done) => setTimeout(done, 500))")
    assert results.execute_script(DRAWN) > 0
    assert -1 <= results.execute_script(top) < 720  # less than a pixel of scrolling is rounding


def test_a_link_from_elsewhere_opens_its_curves(results):
    results.get(results.current_url + "#group-2")
    results.refresh()
    assert results.execute_script(DRAWN) > 0
    assert results.get_log("browser") == []


def test_the_drawn_share_solved_ends_at_the_rate(results, runs):
    ends = results.execute_script(
        "return document.getElementById('chart-0').data.slice(0, -1).map((t) => t.y.at(-1))"
    )
    assert ends == [pytest.approx(rate, abs=1e-5) for rate in (1.0, 3 / 9, 0.0)]


def test_axe_finds_no_violation_where_everything_is_opened(results):
    from axe_core_python.selenium import Axe

    results.execute_script(
        "document.querySelectorAll('details').forEach((it) => { it.open = true })"
    )
    results.execute_script("return new Promise((done) => setTimeout(done, 1000))")
    assert [rule["id"] for rule in Axe().run(results)["violations"]] == []


@pytest.fixture
def wide(chromium, comparison, tmp_path):
    """Five measures of a row whose name is long."""
    first = comparison.lines[0]
    lines = tuple(
        replace(first, row=row, compared=replace(first.compared, claim=Claim(f"m{it}", None, "")))
        for row in ("LSTM1997()", "Carousel(input_gate=True, output_gate=True)")
        for it in range(5)
    )
    return open_page(chromium, replace(comparison, lines=lines), tmp_path)


def test_the_name_of_a_row_breaks_between_its_words_alone(wide):
    lines = wide.execute_script(
        """return [...document.querySelectorAll('.matrix tbody th')].map((name) => {
             const text = document.createRange();
             text.selectNodeContents(name);
             return new Set([...text.getClientRects()].map((it) => it.top)).size;
           })"""
    )
    assert lines[0] == 1 and 1 <= lines[1] <= 2
