"""What convolution and pooling share: kernel, stride and padding as options, and the shapes that follow."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cnncli.errors import ShapeError
from cnncli.kernels.geometry import Axis, Geometry
from cnncli.layers.base import Layer, Part, Shape

LARGEST = 2**20
Size = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
Pad = Annotated[int, Field(ge=0, le=LARGEST, strict=True)]


def as_pair(value: Any) -> Any:
    """A single number stands for (height, width) alike."""
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


SizePair = Annotated[tuple[Size, Size], BeforeValidator(as_pair, json_schema_input_type=Size | tuple[Size, Size])]
PadPair = Annotated[tuple[Pad, Pad], BeforeValidator(as_pair, json_schema_input_type=Pad | tuple[Pad, Pad])]
Padding = PadPair | Literal["same", "valid"]


class Windowed(Layer):
    """A layer whose windows slide over (C, H, W). `dilation` is 1 unless a layer makes it an option."""

    kernel_size: SizePair = Field(description="height and width of the window: a number or [height, width]")
    padding: Padding = Field(
        (0, 0),
        description="zeros around the image: a number, [height, width], 'same' (output = input / stride, rounded up) "
        "or 'valid' (none)",
    )

    @property
    def strides(self) -> tuple[int, int]:
        raise NotImplementedError

    @property
    def dilations(self) -> tuple[int, int]:
        return (1, 1)

    @cached_property
    def _geometries(self) -> dict[Shape, Geometry]:
        return {}

    def geometry(self, shape: Shape) -> Geometry:
        """The windows over an input of this shape. Raises ShapeError where none fits, with the arithmetic."""
        known = self._geometries.get(shape)  # to work it out takes as long as to pool a few thousand numbers
        if known is None:
            known = self._geometries[shape] = self._geometry(shape)
        return known

    def _geometry(self, shape: Shape) -> Geometry:
        if len(shape) != 3:
            hint = "it has been flattened before" if len(shape) == 1 else "give it an image"
            raise ShapeError(f"{self.type} takes (C, H, W), but gets {shape}: {hint}")
        axes = []
        for index, name in enumerate(("height", "width")):
            kernel, stride, dilation = self.kernel_size[index], self.strides[index], self.dilations[index]
            before, after = self._pads(index, shape[1 + index])
            axis = Axis(shape[1 + index], kernel, stride, dilation, before, after)
            if axis.out < 1:
                raise ShapeError(self._misfit(axis, name), option="kernel_size")
            axes.append(axis)
        return Geometry(*axes)

    def _pads(self, index: int, size: int) -> tuple[int, int]:
        """Padding before and after. 'same' puts the odd one after, as TensorFlow does (and PyTorch at stride 1)."""
        if self.padding == "valid":
            return 0, 0
        if self.padding == "same":
            stride = self.strides[index]
            extent = (self.kernel_size[index] - 1) * self.dilations[index] + 1
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
            return total // 2, total - total // 2
        pad = self.padding[index]
        assert isinstance(pad, int)
        return pad, pad

    def _misfit(self, axis: Axis, name: str) -> str:
        extent = str(axis.kernel) if axis.dilation == 1 else f"({axis.dilation}*({axis.kernel} - 1) + 1)"
        room = axis.size + axis.before + axis.after
        largest = (room - 1) // axis.dilation + 1
        padding = -(-(axis.extent - axis.size) // 2)
        return (
            f"{self.type} does not fit: {name} {axis.size} + {axis.before + axis.after} of padding is less than "
            f"the kernel's {extent}: "
            f"({axis.size} + {axis.before + axis.after} - {extent})/{axis.stride} + 1 = {axis.out}; "
            f"use kernel_size at most {largest}, or padding at least {padding}"
        )

    def sees(self, part: Part, inputs: tuple[Shape, ...]) -> tuple[Part, ...]:
        geometry = self.geometry(inputs[0])
        channels, rows, columns = part
        return ((channels, geometry.height.seen(rows), geometry.width.seen(columns)),)

    def window(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        height, width = ((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilations, strict=True))
        return (height, width), self.strides
