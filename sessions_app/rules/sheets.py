"""Rows as CSV that no spreadsheet takes for anything but data."""

import csv
import io
from collections.abc import Iterable
from typing import Any

BEGIN = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
"""A byte order mark: Excel wants it, or it takes UTF-8 for something else."""
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""With these a spreadsheet takes text for a formula, full-width ones included."""


def safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front."""
    dangerous = isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS)
    return f"'{value}" if dangerous and not _is_number(value) else value


def lines(rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows as RFC 4180 has them, in UTF-8.  Cells as they come: pass those of other people through `safe`."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _is_number(text: str) -> bool:
    """Our own amounts: `-0.5` is a number, `-1+1` is not."""
    digits = text.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit()
