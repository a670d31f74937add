"""The tasks on real data: what they show is there, once, and says where it comes from."""

import sys
from hashlib import sha256
from pydoc_data.topics import topics

import numpy as np
import pytest

from farback.draws import Draws
from farback.errors import InputRefused, WrongUsage
from farback.tasks import Characters, Digits, _digits, _topics


def images(permuted: bool = False) -> np.ndarray:
    """All images that training and test set show together, [image, pixel]."""
    task = Digits(permuted=permuted)
    training = task.training_set(Draws([0], "set", count=task.training))
    test = task.test_set(Draws([0], "test", count=task.test), training)
    return np.concatenate([it.inputs[:, 0, :, 0].T.numpy() for it in (test, training)])


def test_training_and_test_set_hold_every_image_once() -> None:
    assert sorted(map(tuple, images())) == sorted(map(tuple, _digits.images().pixels))


def test_permuted_digits_are_the_same_pixels_in_one_other_order() -> None:
    plain, permuted = images(), images(permuted=True)
    columns = {tuple(it): place for place, it in enumerate(plain.T)}
    order = [columns[tuple(it)] for it in permuted.T]
    assert np.array_equal(plain[:, order], permuted) and order != list(range(64))


def test_an_image_keeps_its_digit() -> None:
    shown = Digits().sample(Draws([0], "training", count=50))
    known = {tuple(it): digit for it, digit in zip(*_digits.images(), strict=True)}
    digits = [known[tuple(it)] for it in shown.inputs[:, 0, :, 0].T.tolist()]
    assert shown.answers[-1, 0].argmax(-1).tolist() == digits


def test_without_scikit_learn_digits_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(InputRefused, match=r"pip install 'farback\[demo\]'"):
        Digits().sample(Draws([0], "training", count=1))


def test_characters_say_which_text_they_are_of() -> None:
    whole = "\n".join(topics[it] for it in sorted(topics))
    assert Characters().sha256 == sha256(whole.encode()).hexdigest()
    assert f"sha256='{Characters().sha256}'" in repr(Characters())


def test_characters_of_another_text_are_refused() -> None:
    with pytest.raises(InputRefused, match="and this Python has"):
        Characters(sha256="0" * 64)


def test_a_stretch_longer_than_the_test_text_is_refused() -> None:
    with pytest.raises(WrongUsage, match="so that a stretch fits"):
        Characters(length=len(_topics.text().characters) // 10)


def test_stretches_are_of_the_text_and_test_stretches_of_its_last_tenth() -> None:
    task, (characters, alphabet, _) = Characters(length=40), _topics.text()
    whole = "".join(alphabet[it] for it in characters)
    cut = len(whole) - len(whole) // 10
    parts = (task.sample, whole[:cut]), (lambda it: task.test_set(it, None), whole[cut:])
    for draw, part in parts:
        shown = draw(Draws([0], "any", count=20))
        for row in range(20):
            first = alphabet[int(shown.inputs[0, 0, row].argmax())]
            rest = [alphabet[it] for it in shown.answers[:, 0, row].argmax(-1).tolist()]
            assert first + "".join(rest) in part


def test_the_bar_for_characters_is_what_one_character_tells() -> None:
    _, (characters, _, _) = Characters(), _topics.text()
    test = characters[-(len(characters) // 10) :]
    counts = np.zeros((characters.max() + 1, characters.max() + 1))
    np.add.at(counts, (test[:-1], test[1:]), 1)
    shares = counts / counts.sum(1, keepdims=True).clip(1)
    loss = -(counts * np.log(np.where(counts > 0, shares, 1))).sum() / counts.sum()
    assert Characters().criterion.error == pytest.approx(loss)
