"""The command line: the same verbs as in Python, one thin file each.

Exit codes: 0 fine, 1 the verdict is bad, 2 wrong usage, 3 input refused, 4 internal error, 130
stopped. Results go to stdout, every remark and all progress to stderr.
"""

from __future__ import annotations

from ._main import main

__all__ = ["main"]
