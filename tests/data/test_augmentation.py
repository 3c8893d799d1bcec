"""What every augmentation promises, and what each kind means. A new kind needs a row in NEUTRAL."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from cnncli.data.augmentation import AUGMENTATIONS, AnyAugmentation, Augmentation
from cnncli.data.augmentation.affine import Affine, inverse
from cnncli.data.augmentation.warp import warp
from cnncli.errors import DataError

Array = NDArray[Any]

NEUTRAL: dict[str, dict[str, Any]] = {
    "horizontal_flip": {"p": 0},
    "vertical_flip": {"p": 0},
    "crop": {"padding": 0},
    "shift": {"padding": 0},
    "rotate": {"degrees": 0},
    "scale": {"factor": (1, 1)},
    "affine": {"degrees": 0, "scale": (1, 1), "translate": 0, "shear": 0},
    "brightness": {"factor": (1, 1)},
    "contrast": {"factor": (1, 1)},
    "noise": {"std": 0},
    "cutout": {"p": 0},
    "mixup": {"p": 0},
    "cutmix": {"p": 0},
}
"""With these options nothing changes, to the bit."""

BEYOND = {"brightness", "contrast", "noise"}
"""What may make a number leave 0..1."""

SHAPES = {"grey": (1, 28, 28), "colour": (3, 9, 12), "two channels": (2, 7, 6)}


@pytest.fixture(params=sorted(AUGMENTATIONS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def kind(name: str) -> Augmentation:
    return AUGMENTATIONS[name](type=name)


def pictures(n: int, shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((n, *shape), np.float32)


def targets_for(kind: Augmentation, n: int) -> Array:
    """Class numbers, or one share for each of three classes where they are mixed."""
    classes = np.arange(n) % 3
    return np.eye(3, dtype=np.float32)[classes] if kind.mixes else classes


def changed(kind: Augmentation, x: Array, seed: int = 0, targets: Array | None = None) -> tuple[Array, Array]:
    """The result for a copy of x."""
    wanted = targets_for(kind, len(x)) if targets is None else targets
    return kind.apply(x.copy(), wanted.copy(), np.random.default_rng(seed))


def make(name: str, **options: Any) -> Augmentation:
    return AUGMENTATIONS[name].model_validate({"type": name, **options})


# What all of them promise


def test_the_table_has_every_kind() -> None:
    assert set(NEUTRAL) == set(AUGMENTATIONS)
    assert {kind.model_fields["type"].default: kind for kind in AUGMENTATIONS.values()} == AUGMENTATIONS


def test_a_bare_word_is_the_kind_with_its_defaults(name: str, kind: Augmentation) -> None:
    adapter: TypeAdapter[Augmentation] = TypeAdapter(AnyAugmentation)
    assert adapter.validate_python(name) == adapter.validate_python({"type": name}) == kind
    assert f'"{name}"' in str(adapter.json_schema()).replace("'", '"')


def test_options_are_immutable_described_and_known(name: str, kind: Augmentation) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(kind, "type", "x")  # noqa: B010 - as anybody would by mistake
    with pytest.raises(ValidationError, match="colour"):
        make(name, colour=1)
    fields = AUGMENTATIONS[name].model_fields
    assert all(field.description for option, field in fields.items() if option != "type")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shape_and_type_stay(kind: Augmentation, shape: tuple[int, ...]) -> None:
    kind.check(shape)
    x = pictures(17, shape)
    y, targets = changed(kind, x)
    assert (y.shape, y.dtype) == (x.shape, np.float32)
    assert np.isfinite(y).all()
    assert len(targets) == 17
    assert kind.type in BEYOND or (y.min() >= 0 and y.max() <= 1 + 1e-6)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_pictures_of_any_size(data: st.DataObject) -> None:
    kind = make(data.draw(st.sampled_from(sorted(AUGMENTATIONS))))
    n, channels, height, width = (data.draw(st.integers(1, most)) for most in (9, 4, 40, 40))
    if kind.type in ("crop", "shift") and min(height, width) <= 4:
        kind = make(kind.type, padding=min(height, width) - 1)
    kind.check((channels, height, width))
    x = pictures(n, (channels, height, width), data.draw(st.integers(0, 99)))
    y, _ = changed(kind, x, data.draw(st.integers(0, 99)))
    assert (y.shape, y.dtype) == (x.shape, np.float32)
    assert np.isfinite(y).all()


def test_the_random_numbers_decide_alone(kind: Augmentation) -> None:
    x = pictures(16, (1, 12, 12))
    first, again, other = (changed(kind, x, seed) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], other[0])


def test_every_sample_is_changed_in_its_own_way(kind: Augmentation) -> None:
    x = pictures(32, (1, 12, 12))
    if not kind.mixes:  # what is mixed with itself stays
        x[:] = x[:1]
    difference = changed(kind, x)[0] - x
    assert len({sample.tobytes() for sample in difference.round(4)}) >= 2


def test_targets_are_left_alone_or_mixed(kind: Augmentation) -> None:
    before = targets_for(kind, 40)
    after = changed(kind, pictures(40, (3, 10, 10)), targets=before)[1]
    if not kind.mixes:
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)
        return
    assert (after.shape, after.dtype) == ((40, 3), np.float32)
    assert after.min() >= 0
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-6)
    assert not np.array_equal(after, before)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_neutral_options_change_nothing_at_all(name: str, shape: tuple[int, ...]) -> None:
    kind, x = make(name, **NEUTRAL[name]), pictures(9, shape)
    y, targets = changed(kind, x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(targets, targets_for(kind, 9))


@pytest.mark.parametrize("shape", [(3, 20), (20,)])
def test_samples_that_are_no_pictures(kind: Augmentation, shape: tuple[int, ...]) -> None:
    if kind.axes <= len(shape):
        kind.check(shape)
        y, _ = changed(kind, pictures(8, shape))
        assert y.shape == (8, *shape)
        assert not np.array_equal(y, pictures(8, shape))
        return
    needs = {3: "pictures (C, H, W)", 2: "pictures (C, H, W) or signals (C, L)"}[kind.axes]
    with pytest.raises(DataError) as caught:
        kind.check(shape)
    expected = f"data.augment: {kind.type} changes {needs}, but the shape of a sample is {list(shape)}; remove it"
    assert str(caught.value) == expected


# What each one means


@pytest.mark.parametrize(("name", "axis"), [("horizontal_flip", 3), ("vertical_flip", 2)])
def test_flip_mirrors_a_share_of_the_samples(name: str, axis: int) -> None:
    x = pictures(1000, (2, 3, 4))
    y, _ = changed(make(name, p=0.3), x)
    flipped = [bool((y[i] == np.flip(x, axis)[i]).all()) for i in range(len(x))]
    assert all(flipped[i] or (y[i] == x[i]).all() for i in range(len(x)))
    assert 250 < sum(flipped) < 350
    np.testing.assert_array_equal(changed(make(name, p=1), x)[0], np.flip(x, axis))


def test_flip_reverses_a_signal() -> None:
    x = pictures(3, (2, 9))
    np.testing.assert_array_equal(changed(make("horizontal_flip", p=1), x)[0], x[:, :, ::-1])


@pytest.mark.parametrize("name", ["crop", "shift"])
@pytest.mark.parametrize(
    ("padding_mode", "of_numpy"), [("zeros", "constant"), ("edge", "edge"), ("reflect", "reflect")]
)
def test_crop_is_a_window_of_the_padded_picture(name: str, padding_mode: str, of_numpy: Any) -> None:
    x = pictures(400, (2, 5, 6))
    y, _ = changed(make(name, padding=2, padding_mode=padding_mode), x)
    seen = set()
    for before, after in zip(x, y, strict=True):
        padded = np.pad(before, ((0, 0), (2, 2), (2, 2)), of_numpy)
        places = [(i, j) for i in range(5) for j in range(5) if (padded[:, i : i + 5, j : j + 6] == after).all()]
        assert len(places) == 1
        seen.add(places[0])
    assert len(seen) == 25  # every place there is


def test_crop_that_could_leave_nothing() -> None:
    with pytest.raises(DataError) as caught:
        make("crop", padding=6).check((1, 6, 9))
    expected = "crop with a padding of 6 could move a picture of 6x9 out of sight; expected at most 5"
    assert str(caught.value) == f"data.augment: {expected}"
    make("crop", padding=5).check((1, 6, 9))


def warp_by_loop(picture: Array, matrix: Array, shift: Array) -> Array:
    """One picture (C, H, W), pixel by pixel: the four around the source, weighted; 0 outside."""
    _, height, width = picture.shape
    centre = np.array([height - 1, width - 1]) / 2
    result = np.zeros_like(picture, dtype=np.float64)
    for i in range(height):
        for j in range(width):
            u, v = matrix @ (np.array([i, j]) - centre) + centre + shift
            for row in (math.floor(u), math.floor(u) + 1):
                for column in (math.floor(v), math.floor(v) + 1):
                    if 0 <= row < height and 0 <= column < width:
                        weight = (1 - abs(u - row)) * (1 - abs(v - column))
                        result[:, i, j] += weight * picture[:, row, column]
    return result


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.integers(1, 3),
    seed=st.integers(0, 1000),
    size=st.sampled_from([0.3, 1.0, 3.0]),
)
def test_warp_equals_a_loop_over_pixels(height: int, width: int, channels: int, seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    x = pictures(3, (channels, height, width), seed)
    matrix, shift = rng.normal(0, size, (3, 2, 2)), rng.normal(0, 2 * size, (3, 2))
    y = warp(x, matrix, shift)
    for i in range(3):
        np.testing.assert_allclose(y[i], warp_by_loop(x[i], matrix[i], shift[i]), atol=1e-4)


def test_warp_in_several_blocks_equals_one_picture_at_a_time() -> None:
    x, rng = pictures(30, (2, 28, 28)), np.random.default_rng(0)
    matrix, shift = rng.normal(0, 1, (30, 2, 2)), rng.normal(0, 3, (30, 2))
    one_by_one = [warp(x[i : i + 1], matrix[i : i + 1], shift[i : i + 1])[0] for i in range(30)]
    np.testing.assert_array_equal(warp(x, matrix, shift), one_by_one)


def seen_through(x: Array, turn: float = 0, scale: float = 1, slant: float = 0) -> Array:
    matrix = inverse(np.deg2rad([turn]), np.array([scale]), np.deg2rad([slant]))
    return warp(x[None], matrix, np.zeros((1, 2)))[0]


def test_a_quarter_turn_is_numpys() -> None:
    x = pictures(1, (2, 8, 8))[0]
    np.testing.assert_allclose(seen_through(x, turn=90), np.rot90(x, axes=(1, 2)), atol=1e-5)


def test_twice_as_large_shows_every_second_pixel_at_its_place() -> None:
    x = pictures(1, (1, 9, 9))[0]
    np.testing.assert_allclose(seen_through(x, scale=2)[:, ::2, ::2], x[:, 2:7, 2:7], atol=1e-6)


def test_sheared_rows_move_by_their_distance_from_the_middle() -> None:
    x = np.zeros((1, 5, 9), np.float32)
    x[:, :, 4] = 1
    slanted = seen_through(x, slant=45)[0]
    assert abs(np.diff(slanted.argmax(axis=1))).tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(slanted.max(axis=1), 1, atol=1e-5)


def spot(row: int, column: int) -> Array:
    """A bright spot on black, 41x41, 300 times."""
    x = np.zeros((300, 1, 41, 41), np.float32)
    x[:, :, row - 1 : row + 2, column - 1 : column + 2] = 1
    return x


def found(y: Array) -> Array:
    """Where the spots are, from the middle: (N, 2)."""
    weights = y[:, 0] / y.sum(axis=(1, 2, 3))[:, None, None]
    places = np.arange(41) - 20
    return np.stack([(weights * places[:, None]).sum(axis=(1, 2)), (weights * places).sum(axis=(1, 2))], 1)


@pytest.mark.parametrize("kind", [make("rotate", degrees=30), Affine(degrees=30, scale=(1, 1), translate=0)])
def test_rotate_turns_by_up_to_so_many_degrees(kind: Augmentation) -> None:
    rows, columns = found(changed(kind, spot(20, 34))[0]).T
    np.testing.assert_allclose(np.hypot(rows, columns), 14, atol=0.3)
    degrees = np.rad2deg(np.arctan2(rows, columns))
    assert (-30.6 < degrees.min() < -27, 27 < degrees.max() < 30.6) == (True, True)


@pytest.mark.parametrize("kind", [make("scale", factor=(0.5, 1.5)), Affine(degrees=0, scale=(0.5, 1.5), translate=0)])
def test_scale_moves_things_away_from_the_middle(kind: Augmentation) -> None:
    rows, columns = found(changed(kind, spot(20, 30))[0]).T
    np.testing.assert_allclose(rows, 0, atol=0.1)
    assert (4.8 < columns.min() < 5.5, 14 < columns.max() < 15.2) == (True, True)


def test_translate_is_a_share_of_the_side() -> None:
    places = found(changed(Affine(degrees=0, scale=(1, 1), translate=0.25), spot(20, 20))[0])
    assert (np.abs(places) < 0.25 * 41 + 0.01).all()
    assert (places.min(axis=0) < -9).all()
    assert (places.max(axis=0) > 9).all()


def test_brightness_is_a_factor() -> None:
    x = pictures(200, (3, 4, 5)) + 0.1
    y, _ = changed(make("brightness", factor=(0.5, 1.5)), x)
    factors = (y / x).reshape(200, -1)
    np.testing.assert_allclose(factors, factors[:, :1].repeat(60, axis=1), rtol=1e-5)
    assert (0.5 <= factors.min() < 0.55, 1.45 < factors.max() <= 1.5 + 1e-5) == (True, True)


@pytest.mark.parametrize(("channels", "weights"), [(1, [1]), (2, [0.5, 0.5]), (3, [0.2989, 0.587, 0.114])])
def test_contrast_is_a_factor_of_the_distance_from_the_mean(channels: int, weights: list[float]) -> None:
    x = pictures(50, (channels, 6, 6))
    y, _ = changed(make("contrast", factor=(0.5, 1.5)), x)
    factors = []
    for before, after in zip(x.astype(np.float64), y, strict=True):
        mean = sum(weight * channel.mean() for weight, channel in zip(weights, before, strict=True))
        slope, rest = np.polyfit(before.ravel() - mean, after.ravel(), 1)
        assert rest == pytest.approx(mean, abs=1e-5)
        np.testing.assert_allclose(after, slope * (before - mean) + mean, atol=1e-5)
        factors.append(slope)
    assert (0.5 <= min(factors) < 0.6, 1.4 < max(factors) <= 1.5 + 1e-5) == (True, True)


def test_noise_is_gaussian_around_what_was_there() -> None:
    x = pictures(50, (1, 40, 40))
    noise = changed(make("noise", std=0.25), x)[0] - x
    assert abs(noise.mean()) < 0.005
    assert noise.std() == pytest.approx(0.25, rel=0.01)
    assert (np.abs(noise) < 0.25).mean() == pytest.approx(0.6827, abs=0.01)


def rectangle(mask: Array) -> tuple[int, int, int, int]:
    """First and last row and column of a mask (H, W) that is a rectangle."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


@pytest.mark.parametrize("size", [1, 4, 5])
def test_cutout_is_a_square_with_its_centre_anywhere(size: int) -> None:
    x = pictures(500, (2, 11, 12)) + 1
    y, _ = changed(make("cutout", size=size, value=0.5), x)
    firsts = []
    for before, after in zip(x, y, strict=True):
        mask = (after == 0.5).all(axis=0)
        assert (after == np.where(mask, 0.5, before)).all()
        top, bottom, left, right = rectangle(mask)
        for first, last, side in ((top, bottom, 11), (left, right, 12)):
            full = last - first + 1 == size
            assert full or first == 0 or last == side - 1
        firsts.append((top, left))
    assert len(set(firsts)) > 60


def test_cutout_of_several_holes_in_some_of_the_samples() -> None:
    x = np.ones((1000, 1, 30, 30), np.float32)
    y, _ = changed(make("cutout", size=2, holes=3, p=0.25), x)
    holes = (y == 0).sum(axis=(1, 2, 3))
    assert 200 < (holes > 0).sum() < 300
    assert holes.max() == 12


def mixed_pairs(name: str, **options: Any) -> list[tuple[Array, Array, float, Array]]:
    """(x_i, x_j, share of i, result) of every sample of a batch: each has a class of its own, which tells."""
    x = pictures(300, (2, 6, 7))
    y, targets = changed(make(name, **options), x, targets=np.eye(300, dtype=np.float32))
    pairs = []
    for i in range(300):
        others = [j for j in np.flatnonzero(targets[i]).tolist() if j != i]
        assert len(others) <= 1
        pairs.append((x[i], x[others[0]] if others else x[i], float(targets[i, i]), y[i]))
    return pairs


def test_mixup_blends_pictures_as_it_blends_targets() -> None:
    pairs = mixed_pairs("mixup", alpha=1.0)
    for first, second, share, result in pairs:
        np.testing.assert_allclose(result, share * first + (1 - share) * second, atol=1e-6)
    shares = [share for *_, share, _ in pairs]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.05)  # Beta(1, 1) is uniform
    assert np.std(shares) == pytest.approx(1 / math.sqrt(12), abs=0.03)


def test_cutmix_puts_in_a_rectangle_and_counts_its_area() -> None:
    pairs = mixed_pairs("cutmix")
    for first, second, share, result in pairs:
        mask = (result != first).any(axis=0)
        np.testing.assert_array_equal(result, np.where(mask, second, first))
        assert share == pytest.approx(1 - mask.mean(), abs=1e-6)
        if mask.any():
            rectangle(mask)
    assert len({share for *_, share, _ in pairs}) > 10


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_some_of_the_samples_and_numbers_of_any_shape(name: str) -> None:
    x, targets = pictures(400, (1, 8, 8)), np.arange(400).astype(np.float32)[:, None]
    y, mixed = changed(make(name, p=0.25, alpha=1.0), x, targets=targets)
    touched = (y != x).any(axis=(1, 2, 3))
    assert 60 < touched.sum() < 140
    np.testing.assert_array_equal(mixed[~touched], targets[~touched])
    assert mixed.shape == (400, 1)


@pytest.mark.parametrize("alpha", [0.01, 100])
def test_mixup_at_the_ends_of_what_alpha_may_be(alpha: float) -> None:
    shares = np.array([share for *_, share, _ in mixed_pairs("mixup", alpha=alpha)])
    assert np.isfinite(shares).all()
    distance = np.abs(shares - 0.5)
    assert (np.median(distance) > 0.49) == (alpha < 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("scale", {"factor": (1.2, 0.8)}),
        ("affine", {"scale": (2, 1)}),
        ("brightness", {"factor": (1.5, 0.5)}),
    ],
)
def test_intervals_ascend(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="expected the smaller number first"):
        make(name, **options)
