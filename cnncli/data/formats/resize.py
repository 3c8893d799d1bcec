"""How a picture that has another size than the network's input is made to fit."""

from __future__ import annotations

from typing import Literal

Resize = Literal["stretch", "crop", "pad"]
