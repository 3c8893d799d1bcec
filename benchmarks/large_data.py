"""How much memory a training takes whose data is larger than memory is allowed to be: one epoch on 4 GB of pictures.

    python -m benchmarks.large_data [--gigabytes 4] [--shape 3,64,64] [--source npy|npz] [--normalize auto]

Makes files of random bytes, trains one epoch on them through the command line, and prints the highest resident memory
of the trainer (VmHWM, which counts the mapped pages of the files), and of the trainer with its helper processes, in
which what they share is counted once (PSS). Needs Linux, and as much room in the folder for temporary files.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from benchmarks import processes
from benchmarks.command import CNNCLI

_PIECE = 1 << 24
_CLASSES = 10
_LOOK_EVERY = 0.1  # seconds

CONFIG = """\
data: {data}
model:
  input: {shape}
  layers:
    - {{type: conv2d, out_channels: 8, kernel_size: 5, stride: {stride}}}
    - relu
    - global_avg_pool2d
    - {{type: linear, out_features: 10}}
loss: cross_entropy
optimizer: {{type: sgd, lr: 0.01}}
train: {{epochs: 1, batch_size: 256}}
"""


def main() -> None:
    """Print what was taken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--gigabytes", type=float, default=4)
    parser.add_argument("--shape", default="3,64,64", help="of a sample in the file; grey: 64,64")
    parser.add_argument("--source", choices=("npy", "npz"), default="npy")
    parser.add_argument("--normalize", choices=("auto", "null"), default="auto")
    options = parser.parse_args()
    shape = tuple(map(int, options.shape.split(",")))
    count = int(options.gigabytes * 1e9) // int(np.prod(shape))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, count, shape)
        data = {"npy": "source: npy, inputs: x.npy, targets: y.npy", "npz": "source: npz, path: set.npz"}[
            options.source
        ]
        if options.source == "npz":
            pack(folder)
        config = CONFIG.format(
            data=f"{{{data}, normalize: {options.normalize}}}",
            shape=[1, *shape][-3:],
            stride=max(2, shape[-1] // 12),
        )
        (folder / "large.yaml").write_text(config)
        size = sum(path.stat().st_size for path in folder.glob("*.np?"))
        print(f"{count:,} samples {options.shape} in {size / 1e9:.2f} GB of {options.source}")
        report(["train", "--config", str(folder / "large.yaml"), "--out", str(folder / "run")])


def make(folder: Path, count: int, shape: tuple[int, ...]) -> None:
    """x.npy of random bytes, and y.npy of random classes."""
    rng = np.random.default_rng(0)
    np.save(folder / "y.npy", rng.integers(0, _CLASSES, count))
    with open(folder / "x.npy", "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
        np.lib.format.write_array_header_1_0(file, header)
        piece = memoryview(rng.bytes(_PIECE))  # the same again and again: what is in it makes no difference
        left = count * int(np.prod(shape))
        while left:
            left -= file.write(piece[:left])


def pack(folder: Path) -> None:
    """Both files in one set.npz, not compressed, instead of beside each other."""
    with zipfile.ZipFile(folder / "set.npz", "w", zipfile.ZIP_STORED) as archive:
        for name in ("x.npy", "y.npy"):
            archive.write(folder / name, name)
            (folder / name).unlink()


def report(arguments: list[str]) -> None:
    """Run the command, and print the time and the memory that it took."""
    start, highest, together = time.perf_counter(), {"VmHWM": 0, "RssAnon": 0, "RssFile": 0}, 0
    with subprocess.Popen([CNNCLI, *arguments], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            now = status(process.pid)
            highest = {key: max(value, now.get(key, 0)) for key, value in highest.items()}
            together = max(together, processes.memory(process.pid)["Pss"])
            time.sleep(_LOOK_EVERY)
    if process.returncode:
        raise SystemExit(f"cnncli failed with exit code {process.returncode}")
    print(f"{time.perf_counter() - start:.0f} s; highest, in MB: trainer {highest['VmHWM'] / 1e6:,.0f}", end=" ")
    print(f"(anonymous {highest['RssAnon'] / 1e6:,.0f}, files {highest['RssFile'] / 1e6:,.0f})", end="")
    print(f", all processes {together / 1e6:,.0f}")


def status(pid: int) -> dict[str, int]:
    """The sizes in a process's status, in bytes; nothing if it is gone."""
    try:
        lines = (processes.PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines if line.endswith(" kB")}


if __name__ == "__main__":
    main()
