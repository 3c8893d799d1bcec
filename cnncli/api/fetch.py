"""Well-known data sets, downloaded."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from cnncli.data import fetch as fetching
from cnncli.data.download import Listener
from cnncli.data.fetch import Fetched


def fetch(
    name: str,
    *,
    out: str | PathLike[str] | None = None,
    mirror: str | None = None,
    listener: Listener | None = None,
) -> Fetched:
    """Downloads "mnist", "fashion-mnist" or "cifar10" into `out`, by default data/<name>: what is not there yet.

    Every file is verified by its SHA-256; a download that broke off goes on where it did. `mirror` is the URL of a
    folder to be asked instead of the known ones. Raises UsageError, OutcomeError (no place had it), OutputError.
    """
    wanted = fetching.known_set(name)
    folder = Path("data", name) if out is None else Path(out)
    return fetching.fetch(name, wanted, folder, mirror, listener or Listener())
