"""What this machine has of each engine, as lines and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ..engine import _machine
from ..engine.native._unavailable import Unavailable


def document() -> dict[str, dict[str, Any]]:
    """Each engine, whether it runs here, and what it runs on or why it does not."""
    try:
        native = {"runs": True, **asdict(_machine.native())}
    except Unavailable as reason:
        native = {"runs": False, "reason": str(reason)}
    return {"reference": {"runs": True, **asdict(_machine.reference())}, "native": native}


def lines(engines: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The same for people: the name of an engine or nothing, and what is to be known."""
    torch = engines["reference"]
    yield "reference", f"torch {torch['torch']}; device {' or '.join(torch['devices'])}"
    native = engines["native"]
    if not native["runs"]:
        yield "native", f"cannot run here: {native['reason']}"
        return
    lanes = ", ".join(f"{count} of {kind}" for kind, count in native["lanes"].items())
    threads = f"{native['threads']} thread{'s' * (native['threads'] != 1)}"
    yield "native", f"{native['compiler']} ({native['path']}); lanes: {lanes}; {threads}"
    yield "", native["warning"] or f"what is compiled is kept in {native['cache']}"
