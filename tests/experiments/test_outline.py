"""What is told of an experiment without torch is what the experiment says."""

import json

from farback.experiments import _outline


def test_the_outline_is_that_of_the_experiments():
    due = "run python -m farback.experiments._outline"
    assert _outline.FILE.read_text("utf-8") == _outline.written(), due


def test_every_choice_of_an_experiment_has_a_meaning():
    for name, outline in json.loads(_outline.FILE.read_text("utf-8")).items():
        for option in outline["options"]:
            assert option["meaning"], f"{name}: {option['name']}"
