"""Where the samples of a data set lie: in memory, in a mapped file, or in pictures that are decoded when asked for."""

from __future__ import annotations

from cnncli.data.stores.in_file import InFile, unmapped
from cnncli.data.stores.joined import Joined
from cnncli.data.stores.pictures import Pictures, open_pictures
from cnncli.data.stores.store import Fetching, Store, prefetch
from cnncli.data.stores.unreadable import UnreadableError

__all__ = [
    "Fetching",
    "InFile",
    "Joined",
    "Pictures",
    "Store",
    "UnreadableError",
    "open_pictures",
    "prefetch",
    "unmapped",
]
