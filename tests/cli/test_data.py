"""`cnncli data`: what the network gets, what is wrong with it, and where to get it from."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import cnncli
from cnncli.api import contact_sheet, data_findings
from cnncli.data import known_sets
from cnncli.data.formats import decoding
from cnncli.data.loading import Loader
from tests.cli.conftest import Cli, stripes
from tests.data.makers import write_mnist, write_pictures
from tests.data.served import Place, serving

AUGMENT = "data.augment=[{type: crop, padding: 2}, horizontal_flip]"
MIX = "data.augment=[mixup]"


# show


def test_versions_are_the_very_samples_of_a_training(folder: Path) -> None:
    changes = [AUGMENT, "data.normalize=auto", "data.limit=60"]
    session = cnncli.load("stripes.yaml", set=changes)
    sheet = cnncli.contact_sheet(session, samples=20, epoch=2, versions=2)
    data, train = session.dataset, session.dataset.train
    loader = Loader(data, 16, 0, 2)
    batches = {epoch: list(loader.epoch(epoch)) for epoch in (2, 3)}
    order = [index for batch in batches[2] for index in batch.indices.tolist()]
    assert [shown.input for shown in sheet.samples] == [f"train:{index}" for index in order[:20]]
    assert data.normalization is not None
    mean, std = data.normalization.mean[0], data.normalization.std[0]
    for shown in sheet.samples:
        index = int(shown.input.partition(":")[2])
        np.testing.assert_array_equal(shown.picture, train.raw([index])[0, 0])
        assert [version.epoch for version in shown.versions] == [2, 3]
        for version in shown.versions:
            batch = batches[version.epoch][version.batch - 1]
            (place,) = np.flatnonzero(batch.indices == index)
            seen = (batch.x[place, 0] * std + mean) * 255
            np.testing.assert_array_equal(version.picture, seen.round().astype(np.uint8))
            assert version.label == shown.label == ("across", "down")[batch.targets[place]]
    changed = [
        not np.array_equal(version.picture, shown.picture) for shown in sheet.samples for version in shown.versions
    ]
    assert np.mean(changed) > 0.5


def test_no_more_is_decoded_than_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path / "photos", {"cat": 150, "dog": 150})
    (tmp_path / "net.yaml").write_text(
        "data: {source: folder, path: photos, validation: 0, augment: [horizontal_flip]}\n"
        "train: {batch_size: 8}\n"
        "model: {input: [3, 6, 8], layers: [flatten, {type: linear, out_features: 2}]}\n"
    )
    decoded, decode = [], decoding.decode

    def counted(path: Path, shape: Any, resize: Any) -> Any:
        decoded.append(path)
        return decode(path, shape, resize)

    monkeypatch.setattr(decoding, "decode", counted)
    sheet = cnncli.contact_sheet(tmp_path / "net.yaml", samples=2, versions=1)
    assert len(sheet.samples) == 2
    assert len(set(decoded)) == len(decoded) == 8


def test_mixed_labels_are_told_with_their_shares(folder: Path) -> None:
    sheet = cnncli.contact_sheet("stripes.yaml", set=[MIX], samples=16, versions=1)
    labels = [version.label for shown in sheet.samples for version in shown.versions]
    assert set(labels) > {"across", "down"} or len(set(labels)) > 2
    mixed = next(label for label in labels if "," in label)
    shares = [float(part.strip().partition("%")[0]) for part in mixed.split(",")]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert shares == sorted(shares, reverse=True)


def test_augmentations_are_told_as_in_a_configuration(folder: Path) -> None:
    options = "[{type: affine, degrees: 45, scale: [0.5, 2], shear: 0.5}, {type: crop, padding_mode: reflect}, noise]"
    sheet = cnncli.contact_sheet("stripes.yaml", set=[f"data.augment={options}"], samples=1, versions=1)
    assert sheet.notes[0] == f"augment: {options}"


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ([0.002, 0.998], "down"),
        ([0.3, 0.7], "70% down, 30% across"),
        ([1, 1], "across, down"),
        ([0, 0.004], "none"),
        ([0.006, 0.994], "99% down, 1% across"),
    ],
)
def test_shares_that_round_to_nothing_are_left_out(folder: Path, target: list[float], label: str) -> None:
    assert contact_sheet._label(cnncli.load("stripes.yaml"), np.array(target, np.float32)) == label


def test_show_as_text_as_json_and_as_pictures(cli: Cli, folder: Path) -> None:
    drawn = cli("data", "show", "--config", "stripes.yaml", "--set", AUGMENT, "--samples", 2)
    assert (drawn.code, drawn.err) == (0, "")
    assert drawn.out.count("original") == 2
    assert "augment: [{type: crop, padding: 2}, horizontal_flip]" in drawn.out
    view = cli("data", "show", "--config", "stripes.yaml", "--set", AUGMENT, "--samples", 2, "--json").json
    assert view["augment"] == ["{type: crop, padding: 2}", "horizontal_flip"]
    assert [len(shown["versions"]) for shown in view["samples"]] == [3, 3]
    assert view["samples"][0].keys() == {"input", "label", "versions"}
    done = cli("data", "show", "--config", "stripes.yaml", "--set", AUGMENT, "--epoch", 4, "--out", "pictures")
    assert done.out.splitlines()[0] == f"wrote {Path('pictures/data-show/train_epoch4.png')}"
    with Image.open(folder / "pictures" / "data-show" / "train_epoch4.png") as image:
        assert image.size > (300, 300)


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_without_augmentation_the_samples_are_shown(cli: Cli, folder: Path, split: str) -> None:
    view = cli("data", "show", "--config", "stripes.yaml", "--split", split, "--samples", 4, "--json").json
    assert [shown["versions"] for shown in view["samples"]] == [[]] * 4
    assert (view["epoch"] is None) == (split != "train")
    drawn = cli("data", "show", "--config", "stripes.yaml", "--split", split, "--samples", 4).out
    assert drawn.count(f"{split}:") == 4


def test_a_split_that_is_not_there_is_an_error(cli: Cli, folder: Path) -> None:
    done = cli("data", "show", "--config", "stripes.yaml", "--set", "data.validation=0", "--split", "val")
    assert done.code == 2
    assert "the data has no split 'val'" in done.err


@pytest.mark.parametrize("shape", [(4,), (2, 6), (3, 5, 4), (5, 3, 3)], ids=str)
@pytest.mark.parametrize("kind", ["classes", "several labels", "numbers", "many numbers"])
def test_samples_and_targets_of_any_kind_are_shown_and_checked(cli: Cli, tmp_path: Path, shape: Any, kind: str) -> None:
    rng = np.random.default_rng(0)
    outputs, loss, targets = {
        "classes": (3, "cross_entropy", rng.integers(3, size=30)),
        "several labels": (4, "bce_with_logits", rng.integers(2, size=(30, 4)).astype(np.float32)),
        "numbers": (1, "mse", rng.standard_normal(30)),
        "many numbers": (7, "mse", rng.standard_normal((30, 7))),
    }[kind]
    np.savez(tmp_path / "data.npz", x=rng.standard_normal((30, *shape)).astype(np.float32), y=targets)
    flatten = "" if len(shape) == 1 else "flatten, "
    (tmp_path / "net.yaml").write_text(
        f"data: {{source: npz, path: data.npz, augment: [noise, mixup]}}\nloss: {loss}\n"
        f"model: {{input: {list(shape)}, layers: [{flatten}{{type: linear, out_features: {outputs}}}]}}\n"
    )
    shown = cli("data", "show", "--config", tmp_path / "net.yaml", "--samples", 3)
    assert (shown.code, shown.err) == (0, "")
    checked = cli("data", "check", "--config", tmp_path / "net.yaml")
    assert (checked.code, checked.err) == (0, "")


# check


def findings(cli: Cli, *arguments: object) -> dict[tuple[str, str], Any]:
    done = cli("data", "check", *arguments, "--json")
    view = done.json
    assert done.code == (1 if view["verdict"] == "wrong" else 0)
    severities = {finding["severity"] for finding in view["findings"]}
    assert view["verdict"] == ("wrong" if "wrong" in severities else "warnings" if severities else "fine")
    return {(finding["kind"], finding["split"]): finding for finding in view["findings"]}


def save(**changed: Any) -> None:
    """stripes.npz with something changed."""
    arrays = dict(np.load("stripes.npz"))
    np.savez("stripes.npz", **{**arrays, **changed})


def test_good_data_are_fine(cli: Cli, folder: Path) -> None:
    done = cli("data", "check", "--config", "stripes.yaml", "--set", "data.normalize=auto")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "fine: nothing is wrong"
    view = cli("data", "check", "--config", "stripes.yaml", "--json").json
    assert [(split["name"], split["samples"], split["shape"]) for split in view["splits"]] == [
        ("train", 96, [1, 8, 8]),
        ("val", 24, [1, 8, 8]),
        ("test", 40, [1, 8, 8]),
    ]
    normalization = cnncli.load("stripes.yaml", set=["data.normalize=auto"]).dataset.normalization
    assert normalization is not None
    assert view["splits"][0]["mean"] == pytest.approx(list(normalization.mean))
    assert view["splits"][0]["std"] == pytest.approx(list(normalization.std))
    labels = np.load("stripes.npz")["y_test"]
    assert [(each["name"], each["samples"]["test"]) for each in view["classes"]] == [
        ("across", int((labels == 0).sum())),
        ("down", int((labels == 1).sum())),
    ]


def test_leakage_duplicates_and_conflicts_are_found(cli: Cli, folder: Path) -> None:
    arrays = dict(np.load("stripes.npz"))
    x, y, x_test, y_test = (arrays[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    x[5], y[5] = x[2], y[2]
    x[9], y[9] = x[7], 1 - y[7]
    x_test[[3, 30]], y_test[[3, 30]] = x[20], y[20]
    np.savez("stripes.npz", **arrays)
    found = findings(cli, "--config", "stripes.yaml", "--set", "data.validation=0")
    assert {key: finding["severity"] for key, finding in found.items()} == {
        ("leakage", "test"): "wrong",
        ("conflict", "all"): "warning",  # one of 160
        ("duplicates", "train"): "warning",
        ("duplicates", "test"): "warning",
    }
    assert found["leakage", "test"]["message"] == "2 samples (5.00%) are also in train"
    assert found["leakage", "test"]["examples"] == ["test:3 = train:20", "test:30 = train:20"]
    assert found["duplicates", "train"]["examples"] == ["train:5 = train:2", "train:9 = train:7"]
    names = ("across", "down")
    assert found["conflict", "all"]["examples"] == [f"train:7 ({names[y[7]]}) = train:9 ({names[y[9]]})"]


def test_numbers_that_no_network_can_take(cli: Cli, folder: Path) -> None:
    x = np.load("stripes.npz")["x_train"].astype(np.float32)
    x_test = np.load("stripes.npz")["x_test"].astype(np.float32)
    x[4, 0, 1, 1], x[8] = np.nan, 0
    save(x_train=x, x_test=x_test)
    options = ("--config", "stripes.yaml", "--set", "data.validation=0")
    found = findings(cli, *options)
    assert found["not finite", "train"]["examples"] == ["train:4"]
    assert found["blank", "train"]["examples"] == ["train:8"]
    assert found["scale", "train"]["message"].endswith("and data.normalize is not set; set it to auto")
    assert ("scale", "train") not in findings(cli, *options, "--set", "data.normalize={mean: [120], std: [60]}")


def test_one_flipped_byte_in_an_uncompressed_file_is_found(cli: Cli, folder: Path) -> None:
    content = bytearray(Path("stripes.npz").read_bytes())
    content[content.index(np.load("stripes.npz")["x_train"].tobytes()) + 5000] ^= 1
    Path("stripes.npz").write_bytes(content)
    found = findings(cli, "--config", "stripes.yaml")["damaged", "all"]
    assert (found["severity"], found["count"]) == ("wrong", 1)
    assert [Path(example).name for example in found["examples"]] == ["stripes.npz: x_train"]
    assert cnncli.load("stripes.yaml").dataset.train.raw([0]).shape == (1, 1, 8, 8)


def test_labels_in_columns_have_their_names(cli: Cli, tmp_path: Path) -> None:
    write_pictures(tmp_path, {"p": 12})
    lines = [f"p/{number}.png,{number % 2},{number % 3 % 2}" for number in range(12)]
    (tmp_path / "a.csv").write_text("\n".join(["path,wet,cold", *lines]))
    (tmp_path / "net.yaml").write_text(
        "data: {source: csv, path: a.csv, validation: 0}\nloss: bce_with_logits\n"
        "model: {input: [3, 6, 8], layers: [flatten, {type: linear, out_features: 2}]}\n"
    )
    view = cli("data", "check", "--config", tmp_path / "net.yaml", "--json").json
    assert [(each["name"], each["samples"]) for each in view["classes"]] == [
        ("wet", {"train": 6}),
        ("cold", {"train": 4}),
    ]


def test_mean_and_std_of_colours_are_told_in_80_columns(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cnncli.cli import output

    monkeypatch.setattr(output, "PIPED_WIDTH", 80)
    write_pictures(tmp_path / "photos", {"cat": 12, "dog": 12})
    (tmp_path / "net.yaml").write_text(
        "data: {source: folder, path: photos}\n"
        "model: {input: [3, 6, 8], layers: [flatten, {type: linear, out_features: 2}]}\n"
    )
    (train, *_) = cli("data", "check", "--config", tmp_path / "net.yaml", "--json").json["splits"]
    drawn = cli("data", "check", "--config", tmp_path / "net.yaml").out
    for values in (train["mean"], train["std"]):
        assert " ".join(f"{value:.4g}" for value in values) in drawn


def test_targets_that_the_network_cannot_learn(cli: Cli, folder: Path) -> None:
    labels = np.load("stripes.npz")["y_test"].copy()
    labels[6] = 4
    save(y_test=labels)
    (found,) = [
        finding
        for key, finding in findings(cli, "--config", "stripes.yaml", "--set", "data.classes=null").items()
        if key[0] == "targets"
    ]
    assert (found["severity"], found["split"]) == ("wrong", "test")
    assert "expected a class from 0 to 1" in found["message"]


def test_targets_are_named_wherever_they_are(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_findings, "PIECE", 16)
    labels = np.load("stripes.npz")["y_test"].copy()
    labels[[6, 20, 39]] = 4
    save(y_test=labels)
    found = findings(cli, "--config", "stripes.yaml", "--set", "data.classes=null")["targets", "test"]
    assert (found["count"], found["examples"]) == (3, ["test:6", "test:20", "test:39"])
    assert found["message"].startswith("the target of sample 6 is 4; expected a class from 0 to 1")
    assert found["message"].endswith("(3 of 40 are wrong)")
    labels[6] = 1
    save(y_test=labels)
    found = findings(cli, "--config", "stripes.yaml", "--set", "data.classes=null")["targets", "test"]
    assert found["message"].startswith("the target of sample 20 is 4;")


def test_classes_without_samples_and_rare_ones(cli: Cli, folder: Path) -> None:
    pictures, _ = stripes(120, np.random.default_rng(1))
    save(x_train=pictures, y_train=np.repeat([0, 1], [110, 10]), y_test=np.zeros(40, int))
    found = findings(cli, "--config", "stripes.yaml", "--set", "data.validation=0")
    assert found["missing", "test"]["severity"] == "warning"
    assert found["missing", "test"]["message"] == "no sample of 1 of the 2 classes: down"
    assert found["imbalance", "train"]["message"].startswith(
        "11 times as many samples of across (110) as of down (10);"
    )
    more = ("--set", "data.classes=null", "--set", "model.layers.4.out_features=9")
    wider = findings(cli, "--config", "stripes.yaml", *more)
    assert wider["missing", "train"]["severity"] == "wrong"
    assert "no sample of 7 of the 9 classes: 2, 3, 4, 5, 6, ..." in wider["missing", "train"]["message"]


def test_pictures_are_named_by_their_paths_and_all_that_are_unreadable(cli: Cli, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "photos", {"cat": 12, "dog": 12})
    broken = [folder / "cat" / f"{number}.png" for number in range(1, 9)]
    for path in broken:
        path.write_bytes(path.read_bytes()[:70])
    (folder / "dog" / "twin.png").write_bytes((folder / "dog" / "0.png").read_bytes())
    (tmp_path / "net.yaml").write_text(
        "data: {source: folder, path: photos, normalize: auto, validation: 0}\n"
        "model: {input: [3, 6, 8], layers: [flatten, {type: linear, out_features: 2}]}\n"
    )
    found = findings(cli, "--config", tmp_path / "net.yaml")
    assert [reason.partition(": ")[0] for reason in found["unreadable", "train"]["examples"]] == list(map(str, broken))
    assert found["duplicates", "train"]["examples"] == [f"{folder / 'dog' / 'twin.png'} = {folder / 'dog' / '0.png'}"]
    done = cli("data", "check", "--config", tmp_path / "net.yaml")
    assert (done.code, done.err) == (1, "")
    assert "8x6" in done.out
    assert all(path.name in done.out for path in broken)
    assert done.out.splitlines()[-1] == "wrong: 1 fault, 1 warning"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    save(y_test=np.zeros(40, int))
    for command in ("check", "show"):
        from cnncli.cli import output

        monkeypatch.setattr(output, "PIPED_WIDTH", width)
        done = cli("data", command, "--config", "stripes.yaml", "--set", AUGMENT)
        assert max(map(len, done.out.splitlines())) <= width


def test_data_that_cannot_be_opened_are_no_finding(cli: Cli, folder: Path) -> None:
    (folder / "stripes.npz").write_bytes(b"nothing")
    done = cli("data", "check", "--config", "stripes.yaml")
    assert (done.code, done.out) == (2, "")
    assert "stripes.npz" in done.err
    (folder / "bare.yaml").write_text("model: {input: [4], layers: [{type: linear, out_features: 2}]}\n")
    assert "this needs data" in cli("data", "check", "--config", "bare.yaml").err


# fetch


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a set as small as possible, under the name of MNIST."""
    pytest.importorskip("pooch")
    monkeypatch.chdir(tmp_path)
    made = write_mnist(tmp_path / "made", suffix=".gz")
    files = {path.name: path.read_bytes() for path in sorted(made.iterdir())}
    known = {
        name: known_sets.KnownFile(len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()
    }
    monkeypatch.setitem(known_sets.KNOWN_SETS, "mnist", replace(known_sets.KNOWN_SETS["mnist"], files=known))
    return files


def test_what_was_fetched_is_trained_on_as_is_told(cli: Cli, toys: dict[str, bytes], tmp_path: Path) -> None:
    with serving(Place(dict(toys))) as place:
        done = cli("data", "fetch", "mnist", "--mirror", place.url)
        again = cli("data", "fetch", "mnist", "--mirror", place.url)
        assert len(place.asked) == len(toys)
    assert (done.code, again.code) == (0, 0)
    assert done.out == again.out
    assert "(all of it was there)" in again.err
    assert done.err.splitlines()[:2] == [
        f"{place.url}/{next(iter(toys))}",
        f"  {next(iter(toys))}: 0.0 MB, verified",
    ]
    network = "model: {input: [1, 6, 5], layers: [flatten, {type: linear, out_features: 3}]}\n"
    (tmp_path / "net.yaml").write_text(done.out + network)
    assert cli("data", "check", "--config", "net.yaml").code == 0
    assert done.err.splitlines()[-1].endswith("--set data.source=idx --set data.path=data/mnist")
    (tmp_path / "bare.yaml").write_text(network)
    changed = ("--config", "bare.yaml", "--set", "data.source=idx", "--set", "data.path=data/mnist")
    assert cli("data", "check", *changed).code == 0


def test_fetch_as_json(cli: Cli, toys: dict[str, bytes]) -> None:
    with serving(Place(dict(toys))) as place:
        view = cli("data", "fetch", "mnist", "--mirror", place.url, "--out", "here", "--json").json
        told = cli("data", "fetch", "mnist", "--mirror", place.url, "--out", "a: 'b' é").err.splitlines()[-1]
    assert view["data"] == {"source": "idx", "path": "here"}
    assert shlex.split(told)[-1] == """data.path="a: 'b' \\u00e9\""""
    assert view["downloaded"] == view["files"] == sorted(toys, key=list(known_sets.KNOWN_SETS["mnist"].files).index)


def test_what_cannot_be_fetched_is_one_error(cli: Cli, toys: dict[str, bytes], tmp_path: Path) -> None:
    with serving(Place({})) as place:
        done = cli("data", "fetch", "mnist", "--mirror", place.url)
    assert (done.code, done.out) == (1, "")
    assert "could not be downloaded\n" in done.err
    assert "404 Not Found" in done.err
    wrong = cli("data", "fetch", "minst")
    assert (wrong.code, wrong.err) == (2, "error: 'minst' is no data set that can be fetched; did you mean 'mnist'?\n")
    nowhere = cli("data", "fetch", "mnist", "--mirror", "notaurl")
    assert nowhere.code == 2
    assert nowhere.err.startswith("error: --mirror notaurl: is no address of a folder on the network; expected http://")
    (tmp_path / "file").write_text("")
    assert cli("data", "fetch", "mnist", "--out", "file").code == 2
