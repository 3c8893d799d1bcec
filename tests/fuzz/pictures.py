"""PNG, JPEG, BMP and WebP files as inputs of a network."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from cnncli.data.formats.picture import read_pictures
from cnncli.data.formats.resize import Resize
from tests.data.makers import pixels
from tests.fuzz.mutate import HUGE, mutated
from tests.fuzz.target import ACCEPTED, Target

SHAPES = ((3, 6, 8), (1, 28, 28), (3, 1, 1))
RESIZES: tuple[Resize, ...] = ("stretch", "crop", "pad")
CHUNKS = (b"zTXt", b"iTXt", b"tEXt", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"IHDR")
PNG = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    with io.BytesIO() as file:
        image.save(file, kind, **options)
        return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def examples() -> list[bytes]:
    """One of every kind that there is a reader for, and of others that must be refused."""
    colour, grey = Image.fromarray(pixels(9, 11, 3)), Image.fromarray(pixels(40, 30))
    clear = Image.fromarray(pixels(5, 7, 4))
    deep = Image.fromarray(np.arange(63, dtype=np.uint16).reshape(7, 9) * 1000)
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "hello " * 50, zip=True)
    frames = [colour.rotate(90 * turn) for turn in range(4)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        *(saved(colour, kind) for kind in ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")),
        *(saved(grey, kind) for kind in ("PNG", "JPEG", "BMP", "WEBP")),
        *(saved(clear, kind) for kind in ("PNG", "WEBP")),
        saved(deep, "PNG"),
        saved(colour.quantize(5), "PNG"),
        saved(colour.quantize(5), "BMP"),
        saved(grey.convert("1"), "PNG"),
        saved(grey.convert("1"), "BMP"),
        saved(colour, "PNG", pnginfo=text),
        saved(colour, "JPEG", progressive=True, exif=exif),
        saved(colour.convert("CMYK"), "JPEG"),
        saved(colour, "WEBP", lossless=True, exif=exif),
        saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
    ]


class PicturesTarget(Target):
    """The first byte of a case says how the picture is to be made to fit, and which input."""

    name = "pictures"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.examples = examples()

    def make(self, rng: random.Random) -> bytes:
        content = rng.choice(self.examples)
        if content.startswith(PNG) and rng.random() < 0.6:
            content = self._rebuilt(rng, content)
            if rng.random() < 0.7:
                return rng.randbytes(1) + content
        return rng.randbytes(1) + mutated(rng, content, CHUNKS, self.examples)

    def _rebuilt(self, rng: random.Random, content: bytes) -> bytes:
        """A PNG whose chunks are damaged while their checksums are right."""
        chunks, at = [], len(PNG)
        while at < len(content):
            (size,) = struct.unpack_from(">I", content, at)
            chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
            at += size + 12
        place = rng.randrange(len(chunks))
        name, inside = chunks[place]
        if name == b"IHDR" and rng.random() < 0.6:
            width, height = (rng.choice(HUGE) & 0xFFFFFFFF for _ in range(2))
            inside = struct.pack(">II", width, height) + inside[8:]
        elif name == b"IDAT" and rng.random() < 0.5:
            inside = zlib.compress(bytes(rng.choice((0, 10, 10_000, 10_000_000))), 1)
        else:
            inside = mutated(rng, inside)
        chunks[place] = (name, inside)
        if rng.random() < 0.4:
            bomb = b"key\0" + rng.choice((b"\0", b"\0\0", b"\1\0en\0en\0")) + zlib.compress(bytes(5_000_000), 1)
            chunks.insert(rng.randrange(len(chunks) + 1), (rng.choice(CHUNKS), rng.choice((bomb, inside, b""))))
        return PNG + b"".join(chunk(*each) for each in chunks)

    def run(self, case: bytes) -> str:
        path = self.folder / "a.png"
        path.write_bytes(case[1:])
        shape = SHAPES[case[0] % len(SHAPES)]
        (picture,) = read_pictures([path], shape, RESIZES[case[0] // 16 % len(RESIZES)])
        assert picture.shape == shape
        return ACCEPTED
