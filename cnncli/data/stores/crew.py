"""Threads that work ahead."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from cnncli.data.stores.forking import in_every_child

_Result = TypeVar("_Result")
_Task = tuple[Future[Any], Callable[[], Any]]


class Crew:
    """A few threads that do tasks in the order in which they are given.

    The executors of the standard library finish all that waits before the program may end; these threads are
    daemons and drop it, so that an interrupted program ends at once.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._begin()
        in_every_child(self._begin_anew)

    def _begin(self) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._started = False
        self._end = weakref.finalize(self, _dismiss, self._tasks, self.size)

    def submit(self, task: Callable[[], _Result]) -> Future[_Result]:
        """What the task will have returned, or raised. The threads start with the first one."""
        if not self._started:
            self._started = True
            for _ in range(self.size):
                Thread(target=_work, args=(self._tasks,), daemon=True).start()
        future: Future[_Result] = Future()
        self._tasks.put((future, task))
        return future

    def _begin_anew(self) -> None:
        self._end.detach()
        self._begin()


def _work(tasks: SimpleQueue[_Task | None]) -> None:
    while task := tasks.get():
        future, function = task
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)
        del task, future, function  # what they hold is not to live until the next task comes


def _dismiss(tasks: SimpleQueue[_Task | None], size: int) -> None:
    for _ in range(size):
        tasks.put(None)
