"""A trace as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnncli.render.document import plain

if TYPE_CHECKING:
    from cnncli.inspection.trace import Trace


def trace_document(trace: Trace) -> dict[str, Any]:
    """All of it, the arrays of the arithmetic too, but no pictures."""
    found = {"name": trace.number.name, "difference": trace.value - trace.engine, **plain(trace)}
    if trace.arithmetic is not None:
        found["arithmetic"] = plain(trace.arithmetic, arrays=True)
    return found
