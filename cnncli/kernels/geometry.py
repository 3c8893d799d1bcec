"""The arithmetic of windows that slide over an image: which input positions an output position sees."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True)
class Axis:
    """Windows along one axis: output i sees the inputs i * stride + t * dilation - before, t < kernel."""

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def extent(self) -> int:
        """How many input positions one window spans."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def out(self) -> int:
        """The number of windows; below 1 where none fits. (size + padding - extent) // stride + 1."""
        return (self.size + self.before + self.after - self.extent) // self.stride + 1

    def reversed(self) -> Axis:
        """At stride 1: the windows of the outputs that see an input, in the same terms."""
        return Axis(
            self.out,
            self.kernel,
            self.stride,
            self.dilation,
            self.extent - 1 - self.before,
            self.extent - 1 - self.after,
        )

    def inside(self, tap: int, start: int, stop: int) -> tuple[slice, slice]:
        """Of the outputs start..stop those whose tap lies inside the image: (slice of these outputs
        counted from start, slice of the inputs they see). Both have the same length, which may be 0."""
        shift = tap * self.dilation - self.before
        first = max(start, -(shift // self.stride))  # the least i with i * stride + shift >= 0
        last = min(stop, (self.size - 1 - shift) // self.stride + 1)
        if last <= first:
            return slice(0, 0), slice(0, 0)
        low = first * self.stride + shift
        high = (last - 1) * self.stride + shift + 1
        return slice(first - start, last - start), slice(low, high, self.stride)


@dataclass(frozen=True)
class Geometry:
    """Windows over (height, width)."""

    height: Axis
    width: Axis

    @property
    def kernel(self) -> Pair:
        return self.height.kernel, self.width.kernel

    @property
    def out(self) -> Pair:
        return self.height.out, self.width.out

    @property
    def padded(self) -> bool:
        return any((self.height.before, self.height.after, self.width.before, self.width.after))

    @property
    def pointwise(self) -> bool:
        """Each output position sees the input position of the same place and nothing else."""
        return (self.kernel, (self.height.stride, self.width.stride), self.padded) == ((1, 1), (1, 1), False)

    @property
    def dense(self) -> bool:
        """The windows go in steps of 1 and none lies in the padding alone: then dx is a convolution of dy."""
        axes = (self.height, self.width)
        return all(axis.stride == 1 and max(axis.before, axis.after) < axis.extent for axis in axes)

    def reversed(self) -> Geometry:
        """`Axis.reversed` for both."""
        return Geometry(self.height.reversed(), self.width.reversed())
