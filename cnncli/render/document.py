"""Views as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(value: object, *, arrays: bool = False) -> Any:
    """Dataclasses, mappings, sequences, NumPy numbers, paths to what JSON knows, recursively.

    Fields that hold arrays are left out unless `arrays`. A trailing underscore of a field's name is dropped
    (`class_`). Numbers that JSON lacks become "NaN", "Infinity", "-Infinity", which float() reads.
    """
    if is_dataclass(value) and not isinstance(value, type):
        items = {field.name.rstrip("_"): getattr(value, field.name) for field in fields(value)}
        kept = {name: item for name, item in items.items() if arrays or not isinstance(item, np.ndarray)}
        return plain(kept, arrays=arrays)
    if isinstance(value, Mapping):
        return {str(key): plain(item, arrays=arrays) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist(), arrays=arrays)
    if isinstance(value, list | tuple):
        return [plain(item, arrays=arrays) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def to_json(value: object, *, arrays: bool = False) -> str:
    """One JSON document, indented, without a final newline."""
    return json.dumps(plain(value, arrays=arrays), indent=2, ensure_ascii=False, allow_nan=False)
