"""The arithmetic of windows that slide over an image: which input positions an output position sees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import gcd

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

    @cached_property
    def out(self) -> int:
        """The number of windows; below 1 where none fits. (size + padding - extent) // stride + 1."""
        return (self.size + self.before + self.after - self.extent) // self.stride + 1

    def seen(self, outputs: range) -> range:
        """The inputs that these outputs see, those of the padding among them; with the gaps of the dilation only where
        it is a single output."""
        start = outputs[0] * self.stride - self.before
        stop = outputs[-1] * self.stride - self.before + self.extent
        return range(start, stop, self.dilation if len(outputs) == 1 else 1)

    @cached_property
    def every(self) -> Axis:
        """One tap that sees every position, those of the padding among them."""
        return Axis(self.size, 1, 1, 1, self.before, self.after)

    @lru_cache(maxsize=4096)  # noqa: B019 - axes are few and small
    def phase(self, first: int) -> tuple[slice, Axis]:
        """Which outputs see the inputs first, first + stride, first + 2 * stride, ...: those of the taps in the slice,
        which is in reverse order and may be empty; seen from these inputs they are windows in steps of 1.
        Where no window of these looks at the first or last outputs, `before` or `after` is negative."""
        step = self.stride // gcd(self.stride, self.dilation)
        sees = [tap for tap in range(self.kernel) if (first + self.before - tap * self.dilation) % self.stride == 0]
        if not sees:
            return slice(0), self
        dilation = step * self.dilation // self.stride
        before = -((first + self.before - sees[-1] * self.dilation) // self.stride)
        count = len(range(first, self.size, self.stride))
        after = count - self.out - before + (len(sees) - 1) * dilation
        taps = slice(sees[-1], sees[0] - 1 if sees[0] else None, -step)
        return taps, Axis(self.out, len(sees), 1, dilation, before, after)

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

    @cached_property
    def kernel(self) -> Pair:
        return self.height.kernel, self.width.kernel

    @cached_property
    def out(self) -> Pair:
        return self.height.out, self.width.out

    @cached_property
    def padded(self) -> bool:
        return any((self.height.before, self.height.after, self.width.before, self.width.after))

    @cached_property
    def pointwise(self) -> bool:
        """Each output position sees the input position of the same place and nothing else."""
        return (self.kernel, (self.height.stride, self.width.stride), self.padded) == ((1, 1), (1, 1), False)

    @cached_property
    def back(self) -> tuple[tuple[slice, slice], Geometry]:
        """At stride 1: `Axis.phase` for both, the order of the taps and the windows."""
        (rows, height), (columns, width) = self.height.phase(0), self.width.phase(0)
        return (rows, columns), Geometry(height, width)
