"""Brings a well-known data set into a folder."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from cnncli.data.download import Listener, download, matches
from cnncli.data.known_sets import KNOWN_SETS, KnownSet
from cnncli.errors import DataError, OutputError, UsageError
from cnncli.files import FIXES
from cnncli.wording import did_you_mean, printable


@dataclass(frozen=True)
class Fetched:
    """A data set that is there now."""

    name: str
    title: str
    samples: str
    folder: Path
    files: tuple[str, ...]
    downloaded: tuple[str, ...]
    """Those files that were not there before."""
    data: Mapping[str, Any]
    """The section `data:` of a configuration."""
    starter: str
    """A configuration that comes with the package and takes such samples."""


def known_set(name: str) -> KnownSet:
    """Raises UsageError, with the nearest name or all of them, for one that is not known."""
    if name not in KNOWN_SETS:
        near = did_you_mean(name, KNOWN_SETS) or f"; there are {', '.join(KNOWN_SETS)}"
        raise UsageError(f"'{printable(name)}' is no data set that can be fetched{near}")
    return KNOWN_SETS[name]


def fetch(name: str, wanted: KnownSet, folder: Path, mirror: str | None, listener: Listener) -> Fetched:
    """The files of a data set in `folder`, whole and verified; only what is not there is downloaded.

    `mirror` is a folder on the network that is asked instead of those known. Raises what `download` does, UsageError
    for a mirror that is no address, and DataError for other files of the same names, which are left alone, and for an
    archive that has not got what it should.
    """
    if mirror is not None:
        _require_address(mirror)
    _require_ours(wanted, folder)
    downloaded = [] if _is_unpacked(wanted, folder) else _missing(wanted, folder)
    for file in downloaded:
        urls = [f"{place.rstrip('/')}/{file}" for place in (wanted.mirrors if mirror is None else (mirror,))]
        download(folder / file, urls, wanted.files[file], listener)
    if wanted.unpacked and not _is_unpacked(wanted, folder):
        for file in wanted.files:
            _unpack(folder / file, wanted.unpacked)
    files = tuple(wanted.unpacked or wanted.files)
    data = {"source": wanted.source, "path": str(folder), **wanted.options}
    return Fetched(name, wanted.title, wanted.samples, folder, files, tuple(downloaded), data, wanted.starter)


def _require_address(mirror: str) -> None:
    """Raises UsageError for what is no address of a place that we can ask."""
    try:
        address = urlsplit(mirror)
        known = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:  # as of brackets that do not close
        known = False
    if not known:
        given = f"--mirror {printable(mirror)}: is no address of a folder on the network"
        raise UsageError(f"{given}; expected http:// or https://, as https://example.org/mnist")


def _missing(wanted: KnownSet, folder: Path) -> list[str]:
    """The files that are not there. Raises DataError for those that are, and are not the right ones."""
    there = [name for name in wanted.files if (folder / name).exists()]
    others = [name for name in there if not matches(folder / name, wanted.files[name].sha256)]
    if others:
        raise _others_error(wanted, folder, others)
    return [name for name in wanted.files if name not in there]


def _require_ours(wanted: KnownSet, folder: Path) -> None:
    """Raises DataError where other files stand under the names of what would be unpacked."""
    others = [
        name
        for name, size in wanted.unpacked.items()
        if os.path.lexists(folder / name) and not _is_right(folder / name, size)
    ]
    if others:
        raise _others_error(wanted, folder, others)


def _others_error(wanted: KnownSet, folder: Path, names: Sequence[str]) -> DataError:
    fix = "move it away, or choose another folder with --out"
    return DataError(f"{printable(folder)}: {', '.join(names)}: another file than that of {wanted.title}; {fix}")


def _is_unpacked(wanted: KnownSet, folder: Path) -> bool:
    return bool(wanted.unpacked) and all(_is_right(folder / name, size) for name, size in wanted.unpacked.items())


def _is_right(path: Path, size: int | None) -> bool:
    return path.is_file() and size in (None, path.stat().st_size)


def _unpack(archive: Path, wanted: Mapping[str, int | None]) -> None:
    """Those of the wanted files that are not there yet, beside the archive, which then goes; no folders are made.

    Raises DataError where the archive has not got them all, OutputError where they cannot be written.
    """
    try:
        with tarfile.open(archive) as tar, TemporaryDirectory(dir=archive.parent, prefix=".unpacking-") as place:
            members = {PurePosixPath(member.name).name: member for member in tar if member.isfile()}
            sizes = {name: member.size for name, member in members.items()}
            missing = [name for name, size in wanted.items() if name not in sizes or size not in (None, sizes[name])]
            if missing:
                raise DataError(f"{printable(archive)}: has no {', '.join(missing)} of the right size")
            new = [name for name in wanted if not archive.with_name(name).exists()]
            tar.extractall(place, [members[name] for name in new], filter="data")
            for name in new:
                os.replace(Path(place) / members[name].name, archive.with_name(name))
        archive.unlink()
    except (tarfile.TarError, EOFError) as error:
        raise DataError(f"{printable(archive)}: cannot be unpacked: {printable(error)}") from error
    except OSError as error:
        fix = FIXES.get(error.errno or 0, "choose another place with --out")
        raise OutputError(f"{printable(archive)}: cannot be unpacked: {error.strerror or error}; {fix}") from error
