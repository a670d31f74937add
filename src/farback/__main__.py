"""The command line as `python -m farback`."""

from __future__ import annotations

import sys

# `-m` puts the working directory first on the import path; only --here may do that.
if not sys.flags.safe_path:
    del sys.path[0]

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
