"""Plain scalars as the core schema of YAML 1.2 reads them (section 10.3.2).

Only `true` and `false` are booleans (`yes`, `on` and `off` are texts), and `1e-3` is a number.
"""

from __future__ import annotations

import re
import sys

from cnncli.config.place import Place, Problems
from cnncli.config.tree import Value
from cnncli.config.wording import shown

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LARGEST = {int: 2**63 - 1, float: sys.float_info.max}
_MOST_DIGITS = 40


def number_in(text: str) -> int | float | None:
    """The number that a plain text stands for; None where it stands for none."""
    if _INTEGER.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            return 1 << 64  # too large in any case, and parsing it could take long
        return int(text, 0) if text[1:2] in ("o", "x") else int(text)
    return float(text) if _FLOAT.fullmatch(text) else None


def resolve(text: str, place: Place, problems: Problems) -> Value:
    """The value of a plain scalar; a number that is not finite, or too large for 64 bits, is a problem."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    number = number_in(text)
    if number is None and not _NOT_FINITE.fullmatch(text):
        return text
    if number is not None and abs(number) <= _LARGEST[type(number)]:
        return number
    reason = "not a finite number" if number is None else "too large for a 64-bit number"
    problems.add(place, f"{shown(text)[1:-1]} is {reason}")
    return 1
