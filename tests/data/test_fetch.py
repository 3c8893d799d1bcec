"""Downloads, from a server on loopback: whole, resumed, refused, verified."""

from __future__ import annotations

import hashlib
import io
import socket
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnncli.data.download import Listener
from cnncli.data.fetch import fetch
from cnncli.data.known_sets import KNOWN_SETS, KnownFile, KnownSet
from cnncli.errors import DataError, OutcomeError, OutputError, UsageError
from tests.data.served import Place, serving

pytest.importorskip("pooch")

FILES = {name: np.random.default_rng(size).bytes(size) for name, size in {"a.gz": 200_000, "b.gz": 1}.items()}
OTHER = {name: bytes(len(content)) for name, content in FILES.items()}


class Record(Listener):
    """What was told."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.progress: list[tuple[int, int]] = []
        self.reasons: list[str] = []
        self.sizes: dict[str, int] = {}

    def started(self, name: str, url: str, done: int) -> None:
        self.starts.append(done)

    def advanced(self, done: int, total: int) -> None:
        self.progress.append((done, total))

    def failed(self, url: str, reason: str) -> None:
        self.reasons.append(reason)

    def finished(self, name: str, size: int) -> None:
        self.sizes[name] = size


def told(content: bytes) -> KnownFile:
    return KnownFile(len(content), hashlib.sha256(content).hexdigest())


def known(files: dict[str, bytes], *places: Place) -> KnownSet:
    return KnownSet(
        title="Toys",
        samples="2 blocks",
        source="idx",
        files={name: told(content) for name, content in files.items()},
        mirrors=tuple(place.url for place in places),
        starter="lenet5",
        options={},
        unpacked={},
    )


Serve = Callable[[Place], Place]


@pytest.fixture
def serve() -> Iterator[Serve]:
    open_servers = []

    def start(place: Place) -> Place:
        server = serving(place)
        open_servers.append(server)
        return server.__enter__()

    yield start
    for server in open_servers:
        server.__exit__(None, None, None)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_all_files_arrive_whole_and_a_second_call_asks_for_nothing(tmp_path: Path, serve: Serve) -> None:
    place, heard = serve(Place(dict(FILES))), Record()
    done = fetch("toys", known(FILES, place), tmp_path / "new" / "toys", None, heard)
    assert contents(tmp_path / "new" / "toys") == FILES
    assert done.downloaded == done.files == tuple(FILES)
    assert done.data == {"source": "idx", "path": str(tmp_path / "new" / "toys")}
    assert heard.sizes == {name: len(content) for name, content in FILES.items()}
    assert heard.progress[-1] == (1, 1)
    assert all(
        before <= after <= total
        for (before, _), (after, total) in zip(heard.progress[:4], heard.progress[1:4], strict=False)
    )
    asked = len(place.asked)
    assert fetch("toys", known(FILES, place), tmp_path / "new" / "toys", None, Listener()).downloaded == ()
    assert len(place.asked) == asked


def test_a_download_that_broke_off_goes_on_where_it_did(tmp_path: Path, serve: Serve) -> None:
    place, heard = serve(Place(dict(FILES), cut={"a.gz": 65_536})), Record()
    wanted = known(FILES, place)
    with pytest.raises(OutcomeError, match="the connection broke off"):
        fetch("toys", wanted, tmp_path, None, heard)
    assert contents(tmp_path) == {"a.gz.part": FILES["a.gz"][:65_536]}
    fetch("toys", wanted, tmp_path, None, heard)
    assert contents(tmp_path) == FILES
    assert place.asked == [("a.gz", None), ("a.gz", "bytes=65536-"), ("b.gz", None)]
    assert heard.starts == [0, 65_536, 0]
    assert (200_000, 200_000) in heard.progress


def test_another_place_goes_on_with_what_the_first_has_given(tmp_path: Path, serve: Serve) -> None:
    first, second = serve(Place(dict(FILES), cut={"a.gz": 65_536})), serve(Place(dict(FILES)))
    fetch("toys", known(FILES, first, second), tmp_path, None, Listener())
    assert contents(tmp_path) == FILES
    assert second.asked == [("a.gz", "bytes=65536-")]


def test_a_server_without_ranges_starts_over(tmp_path: Path, serve: Serve) -> None:
    place, heard = serve(Place(dict(FILES), ranges=False)), Record()
    (tmp_path / "a.gz.part").write_bytes(FILES["a.gz"][:50])
    fetch("toys", known(FILES, place), tmp_path, None, heard)
    assert contents(tmp_path) == FILES
    assert max(total for _, total in heard.progress) == 200_000


@pytest.mark.parametrize("part", [OTHER["a.gz"][:50], OTHER["a.gz"]], ids=["part", "all"])
def test_a_part_of_something_else_is_fetched_anew(tmp_path: Path, serve: Serve, part: bytes) -> None:
    place = serve(Place(dict(FILES)))
    (tmp_path / "a.gz.part").write_bytes(part)
    fetch("toys", known(FILES, place), tmp_path, None, Listener())
    assert contents(tmp_path) == FILES


def test_a_part_that_is_all_of_it_needs_no_server(tmp_path: Path, serve: Serve) -> None:
    place = serve(Place({"b.gz": FILES["b.gz"]}))
    (tmp_path / "a.gz.part").write_bytes(FILES["a.gz"])
    fetch("toys", known(FILES, place), tmp_path, None, Listener())
    assert contents(tmp_path) == FILES


def test_what_has_another_checksum_is_not_kept(tmp_path: Path, serve: Serve) -> None:
    place, heard = serve(Place(OTHER)), Record()
    with pytest.raises(OutcomeError, match=r"a\.gz could not be downloaded\n.*another file than expected: its SHA-256"):
        fetch("toys", known(FILES, place), tmp_path, None, heard)
    assert contents(tmp_path) == {}
    assert len(heard.reasons) == 1


@pytest.mark.parametrize("part", [b"", FILES["a.gz"][:500]], ids=["new", "resumed"])
def test_bytes_without_end_are_not_taken(tmp_path: Path, serve: Serve, part: bytes) -> None:
    endless, heard = serve(Place({}, endless=True)), Record()
    if part:
        (tmp_path / "a.gz.part").write_bytes(part)
    with pytest.raises(OutcomeError, match=r"another file than expected: it is larger than 200,000 bytes\n"):
        fetch("toys", known(FILES, endless), tmp_path, None, heard)
    assert contents(tmp_path) == {}
    assert max(done for done, _ in heard.progress) <= 200_000
    fetch("toys", known(FILES, endless, serve(Place(dict(FILES)))), tmp_path, None, heard)
    assert contents(tmp_path) == FILES


def test_what_comes_with_a_redirect_is_not_read(tmp_path: Path, serve: Serve) -> None:
    right = serve(Place(dict(FILES)))
    fetch("toys", known(FILES, serve(Place({}, moved=right.url))), tmp_path, None, Listener())
    assert contents(tmp_path) == FILES


def test_a_part_that_is_larger_is_dropped(tmp_path: Path, serve: Serve) -> None:
    place, heard = serve(Place(dict(FILES))), Record()
    (tmp_path / "a.gz.part").write_bytes(FILES["a.gz"] + b"more")
    fetch("toys", known(FILES, place), tmp_path, None, heard)
    assert contents(tmp_path) == FILES
    assert heard.starts == [0, 0]


def test_places_are_tried_in_turn(tmp_path: Path, serve: Serve) -> None:
    empty, wrong, right = serve(Place({})), serve(Place(OTHER)), serve(Place(dict(FILES)))
    heard = Record()
    fetch("toys", known(FILES, empty, wrong, right), tmp_path, None, heard)
    assert contents(tmp_path) == FILES
    assert [reason.split(":")[0] for reason in heard.reasons] == ["404 Not Found", "another file than expected"] * 2


def test_every_reason_is_told_where_no_place_has_it(tmp_path: Path, serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    wanted = replace(known(FILES, serve(Place({}))), mirrors=(serve(Place({})).url, nobody))
    with pytest.raises(OutcomeError) as caught:
        fetch("toys", wanted, tmp_path, None, Listener())
    first, *reasons, fix = str(caught.value).split("\n")
    assert first == "a.gz could not be downloaded"
    assert [reason.removeprefix(f"{url}/a.gz: ") for url, reason in zip(wanted.mirrors, reasons, strict=True)] == [
        "404 Not Found",
        "cannot be reached",
    ]
    assert fix == "check the network, or give another place with --mirror URL"
    assert contents(tmp_path) == {}


def test_a_mirror_is_asked_instead(tmp_path: Path, serve: Serve) -> None:
    place, mirror = serve(Place(dict(FILES))), serve(Place(dict(FILES)))
    fetch("toys", known(FILES, place), tmp_path, f"{mirror.url}/", Listener())
    assert (place.asked, len(mirror.asked)) == ([], 2)


@pytest.mark.parametrize("mirror", ["example", "ftp://x", "file:///etc", "http://", "https:/a", "http://[::1", ""])
def test_what_is_no_address_is_wrong_input(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UsageError, match=r"^--mirror .*; expected http:// or https://, as https://example\.org/mnist$"):
        fetch("toys", known(FILES), tmp_path / "new", mirror, Listener())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("mirror", ["http://a..b", f"http://{'a' * 64}.org"])
def test_an_address_of_nobody_is_an_error(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(OutcomeError, match="could not be downloaded"):
        fetch("toys", known(FILES), tmp_path, mirror, Listener())


def test_another_file_of_the_same_name_is_left_alone(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "a.gz").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"a\.gz: another file than that of Toys; move it away, or choose another"):
        fetch("toys", known(FILES, serve(Place(dict(FILES)))), tmp_path, None, Listener())
    assert contents(tmp_path) == {"a.gz": b"mine"}


def test_a_file_in_the_way_of_the_folder_is_an_error(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "toys").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        fetch("toys", known(FILES, serve(Place(dict(FILES)))), tmp_path / "toys", None, Listener())


def test_without_pooch_there_is_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    (tmp_path / "a.gz").write_bytes(FILES["a.gz"])
    with pytest.raises(UsageError, match=r"pip install 'cnncli\[fetch\]'"):
        fetch("toys", known(FILES), tmp_path, None, Listener())


# Archives


def packed(files: dict[str, bytes], folder: str = "inner/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


INSIDE = {"one.bin": b"1" * 100, "two.bin": b"2" * 100, "readme.html": b"?"}


def archive(content: bytes) -> tuple[Place, KnownSet]:
    files = {"all.tar.gz": content}
    return Place(files), replace(known(files), unpacked={"one.bin": 100, "two.bin": None})


def test_an_archive_is_unpacked_and_goes(tmp_path: Path, serve: Serve) -> None:
    place, wanted = archive(packed(INSIDE))
    mirror = serve(place).url
    done = fetch("toys", wanted, tmp_path, mirror, Listener())
    assert contents(tmp_path) == {name: INSIDE[name] for name in ("one.bin", "two.bin")}
    assert (done.files, done.downloaded) == (("one.bin", "two.bin"), ("all.tar.gz",))
    assert fetch("toys", wanted, tmp_path, mirror, Listener()).downloaded == ()
    (tmp_path / "two.bin").unlink()
    assert fetch("toys", wanted, tmp_path, mirror, Listener()).downloaded == ("all.tar.gz",)


def test_an_archive_that_is_there_is_only_unpacked(tmp_path: Path) -> None:
    _, wanted = archive(packed(INSIDE))
    (tmp_path / "all.tar.gz").write_bytes(packed_once := packed(INSIDE))
    wanted = replace(wanted, files={"all.tar.gz": told(packed_once)})
    assert fetch("toys", wanted, tmp_path, "http://127.0.0.1:1", Listener()).downloaded == ()
    assert set(contents(tmp_path)) == {"one.bin", "two.bin"}


def test_other_files_under_the_names_of_those_unpacked_are_left_alone(tmp_path: Path, serve: Serve) -> None:
    place, wanted = archive(packed(INSIDE))
    (tmp_path / "one.bin").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"one\.bin: another file than that of Toys; move it away, or choose another"):
        fetch("toys", wanted, tmp_path, serve(place).url, Listener())
    assert contents(tmp_path) == {"one.bin": b"mine"}
    assert place.asked == []


def test_only_what_is_not_there_is_unpacked(tmp_path: Path, serve: Serve) -> None:
    place, wanted = archive(packed(INSIDE))
    (tmp_path / "two.bin").write_bytes(b"mine")  # of any size, therefore taken for what it is called
    fetch("toys", wanted, tmp_path, serve(place).url, Listener())
    assert contents(tmp_path) == {"one.bin": INSIDE["one.bin"], "two.bin": b"mine"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "cannot be unpacked"),
        (packed(INSIDE)[:60], "cannot be unpacked"),
        (packed({"one.bin": b"1" * 100}), r"has no two\.bin of the right size"),
        (packed({**INSIDE, "one.bin": b"1"}), r"has no one\.bin of the right size"),
        (packed(INSIDE, "../../"), "cannot be unpacked"),
    ],
    ids=["none", "cut", "missing", "size", "outside"],
)
def test_a_wrong_archive_is_one_error(tmp_path: Path, serve: Serve, content: bytes, message: str) -> None:
    place, wanted = archive(content)
    folder = tmp_path / "a" / "b"
    with pytest.raises(DataError, match=message):
        fetch("toys", wanted, folder, serve(place).url, Listener())
    assert set(contents(folder)) == {"all.tar.gz"}
    assert {path.name for path in tmp_path.rglob("*.bin")} == set()


# The table


@pytest.mark.parametrize("name", KNOWN_SETS)
def test_a_known_set_is_complete(name: str) -> None:
    from cnncli.api.starters import starters
    from cnncli.data import SOURCES

    wanted = KNOWN_SETS[name]
    assert all(len(bytes.fromhex(file.sha256)) == 32 and file.size > 0 for file in wanted.files.values())
    assert len({file.sha256 for file in wanted.files.values()}) == len(wanted.files)
    assert wanted.mirrors
    assert all(mirror.startswith("http") and not mirror.endswith("/") for mirror in wanted.mirrors)
    assert wanted.starter in {starter.name for starter in starters()}
    assert wanted.source in SOURCES
