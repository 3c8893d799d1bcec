"""What sources of picture files have in common."""

from __future__ import annotations

from pydantic import Field

from cnncli.data.formats.resize import Resize
from cnncli.data.source import Source


class Pictured(Source):
    """Pictures of any size, brought to the network's."""

    resize: Resize = Field("stretch", description="stretch; crop the centre; or pad with black")

    @property
    def picture_resize(self) -> Resize:
        """As the pictures of the data."""
        return self.resize
