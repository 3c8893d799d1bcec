"""The samples that come with the package, and how they are found."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncli import bundled
from cnncli.data import read_array
from cnncli.data.formats.idx import read_idx
from cnncli.data.source import Source
from cnncli.data.sources.embedded import DIGITS, FashionMini, MnistMini
from cnncli.data.sources.embedded import GARMENTS as CLASS_NAMES
from cnncli.errors import UsageError
from tests.data.makers import inputs, write_idx

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
GREY = (1, 28, 28)

GARMENTS = {"ankle-boot": "Ankle boot", "bag": "Bag", "dress": "Dress", "pullover": "Pullover", "trouser": "Trouser"}
GRIDS = {
    "grid3x3.txt": np.arange(1, 10).reshape(1, 3, 3),
    "grid3x3.npy": np.arange(1, 10).reshape(1, 3, 3),
    "grid4x4.txt": np.arange(16).reshape(1, 4, 4),
    "grid5x5.txt": np.arange(1, 26).reshape(1, 5, 5),
    "grid2x4x4.txt": np.arange(32).reshape(2, 4, 4),
}


@pytest.mark.parametrize(
    ("kind", "names", "sizes"),
    [(FashionMini, CLASS_NAMES, (500, 100)), (MnistMini, DIGITS, (300, 50))],
)
def test_the_sets_are_balanced_and_real(kind: type[Source], names: tuple[str, ...], sizes: tuple[int, int]) -> None:
    dataset = kind(validation=0).open(GREY, seed=0)
    assert dataset.class_names == names
    for split, per_class in zip((dataset.train, dataset.split("test")), sizes, strict=True):
        assert np.bincount(split.targets).tolist() == [per_class] * 10
        assert split.store.dtype == np.uint8
        assert len(np.unique(split.inputs.reshape(len(split), -1), axis=0)) > 0.99 * len(split)
        assert np.unique(split.targets[:100]).tolist() == list(range(10))  # the classes are mixed


@pytest.mark.parametrize("name", GARMENTS)
def test_the_garments_are_rows_of_the_test_split(name: str) -> None:
    source = FashionMini()
    test = source.open(GREY, seed=0).split("test")
    row = int(np.flatnonzero(test.targets == CLASS_NAMES.index(GARMENTS[name]))[0])
    with Image.open(bundled.path("samples", f"{name}.png")) as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), test.inputs[row, 0])
    given = inputs([str(bundled.path("samples", f"{name}.png")), f"test:{row}"], GREY, source=source)
    np.testing.assert_array_equal(given.x[0], given.x[1])


@pytest.mark.parametrize("name", ["cat.jpg", "coffee.jpg"])
def test_the_photographs_are_small_and_in_colour(name: str) -> None:
    path = bundled.path("samples", name)
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert max(image.size) == 256
    assert path.stat().st_size < 100_000
    colour = inputs([str(path)], (3, 32, 32)).x[0]
    assert np.ptp(colour, axis=0).mean() > 0.1


@pytest.mark.parametrize("name", GRIDS)
def test_the_grids(name: str) -> None:
    expected = GRIDS[name]
    np.testing.assert_array_equal(read_array(str(bundled.path("samples", name)), expected.shape), expected[None])


def test_licences_and_sources_are_told() -> None:
    mit = bundled.path("samples", "LICENSE-fashion-mnist").read_text(encoding="utf-8")
    assert "MIT" in mit
    assert "2017 Zalando SE" in mit
    mnist = bundled.path("samples", "LICENSE-mnist").read_text(encoding="utf-8")
    assert "Attribution-Share Alike 3.0" in mnist
    assert "Yann LeCun and Corinna Cortes" in mnist
    assert "CC0" in bundled.path("samples", "LICENSE-photographs").read_text(encoding="utf-8")
    readme = bundled.path("samples", "README.md").read_text(encoding="utf-8")
    told = {name for name in bundled.names("samples") if name.split("/")[0] in readme}
    assert told == set(bundled.names("samples")) - {"README.md"}


def test_everything_together_is_small() -> None:
    files = [path for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4_000_000


def test_the_script_makes_the_grids_and_takes_the_first_of_each_class(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = tmp_path / "source"
    source.mkdir()
    labels = {part: rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), 600)) for part in ("train", "t10k")}
    for part, numbers in labels.items():
        write_idx(source / f"{part}-labels-idx1-ubyte.gz", numbers)
        images = np.arange(6000, dtype=np.int64)[:, None] // np.array([256, 1]) % 256  # each image holds its number
        write_idx(
            source / f"{part}-images-idx3-ubyte.gz", np.pad(images.astype(np.uint8)[:, None], ((0, 0), (0, 1), (0, 0)))
        )
    for out in ("one", "two"):
        run_script(source, tmp_path / out)
    made = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert {path.as_posix() for path in made} >= {*GRIDS, "bag.png", "fashion-mini/t10k-labels-idx1-ubyte.gz"}
    for path in made:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    for name in GRIDS:
        assert (tmp_path / "one" / name).read_bytes() == (SAMPLES / name).read_bytes()
    for part, per_class in (("train", 500), ("t10k", 100)):
        images = read_idx(tmp_path / "one" / "fashion-mini" / f"{part}-images-idx3-ubyte.gz")
        rows = images[:, 0, 0].astype(int) * 256 + images[:, 0, 1]
        expected = [row for label in range(10) for row in np.flatnonzero(labels[part] == label)[:per_class]]
        assert rows.tolist() == sorted(expected)


def run_script(source: Path, out: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_samples", SAMPLES / "make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    out.mkdir()
    images, labels = module.write_part(source, out / "fashion-mini", module.PER_CLASS)
    module.write_pictures(images, labels, out)
    module.write_grids(out)


# Where they are found


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package as if it were installed at another place, with no files of its own yet."""
    folder = tmp_path / "site-packages" / "cnncli"
    folder.mkdir(parents=True)
    monkeypatch.setattr(bundled, "_PACKAGE", folder)
    return folder


def test_in_a_checkout() -> None:
    assert bundled.path("samples", "grid3x3.txt").samefile(SAMPLES / "grid3x3.txt")
    assert bundled.path("samples", "fashion-mini").is_dir()
    names = bundled.names("samples")
    assert {"README.md", "cat.jpg", "fashion-mini/train-labels-idx1-ubyte.gz"} <= set(names)
    assert list(names) == sorted(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith(".")]


def test_in_a_wheel(package: Path) -> None:
    for kind in ("samples", "configs"):
        (package / "_bundled" / kind / "deep" / "__pycache__").mkdir(parents=True)
        (package / "_bundled" / kind / "deep" / "a.txt").write_text(kind)
        (package / "_bundled" / kind / "deep" / "__pycache__" / "a.pyc").write_text("")
        (package / "_bundled" / kind / ".hidden").write_text("")
    assert bundled.path("samples", "deep/a.txt").read_text() == "samples"
    assert bundled.path("configs", "deep/a.txt").read_text() == "configs"
    assert bundled.names("configs") == ("deep/a.txt",)


def test_other_peoples_folders_are_not_taken_for_ours(package: Path) -> None:
    (package.parent / "samples").mkdir()
    (package.parent / "samples" / "grid3x3.txt").write_text("theirs")
    with pytest.raises(UsageError, match="this installation of cnncli is incomplete: it has no samples"):
        bundled.path("samples", "grid3x3.txt")


@pytest.mark.parametrize(
    "name", ["../pyproject.toml", "/etc/hostname", "deep/../../../pyproject.toml", "", "nothing.bin"]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError, match="the package has no samples file"):
        bundled.path("samples", name)


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(UsageError, match=r"has no samples file 'grid3x3.text'; did you mean 'grid3x3.txt'\?"):
        bundled.path("samples", "grid3x3.text")


def test_finding_loads_no_numpy() -> None:
    script = "import sys; from cnncli import bundled; bundled.names('samples'); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60, check=False).returncode == 0
