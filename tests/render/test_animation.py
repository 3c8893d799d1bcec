"""Animations hold the frames to the pixel: every colour is the one that the colour map has for the value."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnncli.errors import OutputError
from cnncli.inspection.subject import Subject
from cnncli.inspection.views.evolution import Film
from cnncli.render.colors import DEAD, NOT_FINITE, Limits
from cnncli.render.png.animation import LAST, MILLISECONDS, save_films
from cnncli.render.png.canvas import BACKGROUND

STEPS = (0, 50, 100, 140)


def film(frames: NDArray[Any], *, what: str = "activation", names: tuple[str, ...] | None = None) -> Film:
    names = names or tuple(f"c{channel:02d}" for channel in range(frames.shape[1]))
    subject = Subject("test:0")
    return Film(1, "conv1", "conv2d", what, frames.shape[1:], subject, STEPS[: len(frames)], names, frames)


def read(path: Path) -> tuple[list[NDArray[np.uint8]], list[int]]:
    """All frames (H, W, 3), and how long each is shown."""
    image = Image.open(io.BytesIO(path.read_bytes()))
    frames, times = [], []
    for index in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(index)
        frames.append(np.asarray(image.convert("RGB")))
        times.append(image.info["duration"])
    return frames, times


def spread(channels: int = 3, side: int = 16) -> NDArray[Any]:
    """Values from 0 to 1, every level of the map among them; each channel ten times the one before."""
    values = np.linspace(0, 1, side * side).reshape(side, side)
    rows = [np.roll(values, time, axis=1) for time in range(4)]
    return np.stack([np.stack([row * 10.0**channel for channel in range(channels)]) for row in rows])


@pytest.mark.parametrize("kind", ["gif", "webp"])
@pytest.mark.parametrize("signed", [False, True])
def test_a_frame_for_each_step_the_last_one_longer(tmp_path: Path, kind: Any, signed: bool) -> None:
    (path,) = save_films([film(spread() * (1, -1)[signed])], tmp_path, [kind])
    assert path == tmp_path / "evolution" / f"01_conv1__activation_test0.{kind}"
    frames, times = read(path)
    assert len(frames) == 4
    assert times == [MILLISECONDS] * 3 + [LAST]
    assert len({frame.tobytes() for frame in frames}) == 4
    assert len({frame.shape for frame in frames}) == 1


@pytest.mark.parametrize("what", ["activation", "gradient"])
def test_webp_has_exactly_the_colours_of_the_map(tmp_path: Path, what: str) -> None:
    values = spread(1) - (0.5 if what == "gradient" else 0.0)
    (path,) = save_films([film(values, what=what)], tmp_path, ["webp"])
    frames, _ = read(path)
    limits = Limits.of(values.min(), values.max(), signed=what == "gradient")
    for frame, value in zip(frames, values[:, 0], strict=True):
        np.testing.assert_array_equal(_tile(frame), limits.colors(value))


@pytest.mark.parametrize("what", ["activation", "gradient"])
def test_gif_has_colours_of_the_map_at_most_a_level_off_and_zero_is_white(tmp_path: Path, what: str) -> None:
    values = spread(1) - (0.5 if what == "gradient" else 0.0)
    values[0, 0, 0, 0] = 0
    (path,) = save_films([film(values, what=what)], tmp_path, ["gif"])
    frames, _ = read(path)
    limits = Limits.of(values.min(), values.max(), signed=what == "gradient")
    levels = 255 if what == "gradient" else 256
    for frame, value in zip(frames, values[:, 0], strict=True):
        decoded = limits.decode(_tile(frame))
        assert np.isfinite(decoded).all()
        assert np.abs(decoded - value).max() <= 1.5 * (limits.vmax - limits.vmin) / (levels - 1) + 1e-12
    if what == "gradient":
        assert _tile(frames[0])[0, 0].tolist() == [255, 255, 255]


def _tile(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The 16x16 values of the only tile: 6 pixels a value, from the left margin on, above the lower one."""
    return frame[-12 - 16 * 6 + 3 : -12 : 6, 12 + 3 : 12 + 16 * 6 : 6]


def test_the_title_says_what_the_input_is(tmp_path: Path) -> None:
    """The picture below it stays as it is."""
    known = replace(film(spread()), subject=Subject("test:0", true="7"))
    drawn = []
    for each in (film(spread()), known):
        (path,) = save_films([each], tmp_path, ["webp"])
        drawn.append(read(path)[0][0])
    plain, titled = drawn
    head, below = (slice(12, 32), slice(32, None))
    assert (titled[head] != BACKGROUND).any(axis=2).sum() > (plain[head] != BACKGROUND).any(axis=2).sum()
    np.testing.assert_array_equal(titled[below, : plain.shape[1] - 12], plain[below, : plain.shape[1] - 12])


def test_every_channel_has_one_scale_through_the_whole_film(tmp_path: Path) -> None:
    """Though the last is a hundred times as large as the first; and a value has the same colour in every frame."""
    values = np.zeros((4, 2, 4, 4))
    values[:, :, 0, 0] = 1
    values[:, 1] *= 100
    values[3, 0, 1, 1] = 0.5
    (path,) = save_films([film(values)], tmp_path, ["webp"])
    frames, _ = read(path)
    top, half = Limits.of(0, 1, signed=False).colors(np.array([1.0, 0.5])).tolist()
    counts = [[np.count_nonzero((frame == color).all(axis=2)) for color in (top, half)] for frame in frames]
    assert counts[0] == counts[1] == counts[2]
    assert counts[0][1] == 0
    assert counts[3][0] == counts[0][0] == 2 * counts[3][1] > 0


def test_what_is_dead_and_what_is_not_finite_is_seen(tmp_path: Path) -> None:
    values = spread(2)
    values[1, 0] = 0
    values[2, 1, 3, 3] = np.nan
    for path in save_films([film(values)], tmp_path, ["gif", "webp"]):
        frames, _ = read(path)
        for color, place in ((DEAD, 1), (NOT_FINITE, 2)):
            found = [bool((frame == color).all(axis=2).any()) for frame in frames]
            assert found == [place == index for index in range(4)]


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((1, 1, 2, 2)),
        np.full((4, 3, 5, 5), np.nan),
        np.full((4, 3, 5, 5), 1e300),
        np.ones((4, 40, 1, 2)),
        np.random.default_rng(0).normal(size=(4, 6, 5, 3, 3)),  # filters of five maps
        np.ones((4, 1, 300, 2)),
    ],
)
def test_odd_films(tmp_path: Path, frames: NDArray[Any]) -> None:
    paths = save_films([film(frames, what="weight")], tmp_path, ["gif", "webp"])
    for path in paths:
        pictures, _ = read(path)
        assert len({picture.shape for picture in pictures}) == 1
        assert len(pictures) == len(frames)


def test_a_vector_has_no_animation(tmp_path: Path) -> None:
    assert save_films([film(np.ones((4, 1, 1, 10)), names=("",))], tmp_path, ["gif"]) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "evolution").write_text("")
    with pytest.raises(OutputError, match=r"01_conv1__activation_test0\.gif: cannot be written"):
        save_films([film(spread())], tmp_path, ["gif"])
