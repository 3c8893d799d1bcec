"""What holds threads and processes begins anew in a child that this process forks: they are the parent's."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable


def in_every_child(method: Callable[[], None]) -> None:
    """Call this method of an object, while the object lives, in a child before anything else happens there."""
    if not hasattr(os, "register_at_fork"):  # Windows, which has no forks
        return
    method_if_alive = weakref.WeakMethod(method)

    def call() -> None:
        if (alive := method_if_alive()) is not None:
            alive()

    os.register_at_fork(after_in_child=call)
