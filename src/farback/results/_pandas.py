"""pandas, or the sentence that names the extra it comes with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import InputRefused

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(records: Iterable[Mapping[str, Any]], columns: Iterable[str] | None = None) -> DataFrame:
    """One row a record."""
    try:
        import pandas
    except ImportError:
        raise InputRefused(
            "A data frame needs pandas, which is absent; try pip install 'farback[tables]'."
        ) from None
    return pandas.DataFrame(list(records), columns=None if columns is None else list(columns))
