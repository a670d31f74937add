"""The colours, dashes and marks of a report, once for light and once for dark.

A colour is never the only carrier: each curve has its own dash and its label, each severity its
word and its mark. Every ink keeps a contrast of at least 4.5 to 1 against the paper of its mode.
The order of the six curve colours keeps neighbours apart for colour-blind readers too.
"""

from __future__ import annotations

COLOURS: dict[str, tuple[str, str]] = {
    "paper": ("#fdfcf9", "#16181c"),
    "ink": ("#1b1c1e", "#e9e7e1"),
    "muted": ("#5c5e63", "#a5a7ad"),
    "rule": ("#d9d6cd", "#383b42"),
    "grid": ("#ebe9e2", "#25282d"),
    "ok": ("#1f6a41", "#84cf9f"),
    "watch": ("#855400", "#e7bc62"),
    "bad": ("#a82a1c", "#f59a88"),
    "curve1": ("#17517f", "#86bbea"),
    "curve2": ("#a8431a", "#f0a47c"),
    "curve3": ("#4c6b1f", "#b3cf78"),
    "curve4": ("#7a3b8f", "#d3a3e6"),
    "curve5": ("#0b6a6c", "#6fcfcb"),
    "curve6": ("#6d5a17", "#d9c46c"),
}
"""Name of a role: (light, dark)."""

DASHES = ("solid", "6px 3px", "2px 3px", "10px 3px 2px 3px", "14px 4px", "8px 3px 2px 3px 2px 3px")
MARKERS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "x")
SEVERITY_MARKS = {"ok": "○", "watch": "◐", "bad": "●"}

_BAND = 0.17
_CURVES = sum(name.startswith("curve") for name in COLOURS)


def colour(role: str) -> str:
    """The light colour of a role; the page swaps it for the dark one where that is asked for."""
    return COLOURS[role][0]


def curve_role(place: int) -> str:
    """The colour role of the curve at this place."""
    return f"curve{place % _CURVES + 1}"


def dash(place: int) -> str:
    """The dash of the curve at this place: shifted on each round, so that no pair repeats early."""
    return DASHES[(place + place // _CURVES) % len(DASHES)]


def marker(place: int) -> str:
    """The marker of the curve at this place, shifted like its dash."""
    return MARKERS[(place + place // _CURVES) % len(MARKERS)]


def band(role: str) -> str:
    """The same colour, thin enough to lie under a curve."""
    return _thin(colour(role))


def swaps() -> list[tuple[str, str]]:
    """Every light colour that a figure may hold, with its dark one."""
    plain = list(COLOURS.values())
    return plain + [(_thin(light), _thin(dark)) for light, dark in plain]


def _thin(code: str) -> str:
    red, green, blue = (int(code[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{_BAND})"
