"""One epoch of MNIST in PyTorch: the network, batch size and optimizer of configs/mnist-keras.yaml.

    python benchmarks/peers/mnist_pytorch.py DIR

The images lie in one tensor, which is faster than a DataLoader. Writes the weights; prints the test accuracy as JSON.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

EPOCHS, BATCH_SIZE = 1, 32


def read(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised images (N, 1, 28, 28) and labels (N,)."""
    images = np.frombuffer(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    x = torch.tensor(images).view(-1, 1, 28, 28).float().div_(255).sub_(0.1307).div_(0.3081)
    return x, torch.tensor(labels).long()


def main() -> None:
    """Trains and evaluates."""
    torch.manual_seed(0)
    folder = Path(sys.argv[1])
    model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(13 * 13 * 32, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x, y = read(folder, "train")
    for _ in range(EPOCHS):
        model.train()
        for indices in torch.randperm(len(x)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss = criterion(model(x[indices]), y[indices])
            loss.backward()
            optimizer.step()
    x, y = read(folder, "t10k")
    model.eval()
    with torch.inference_mode():
        correct = sum(
            int((model(images).argmax(1) == labels).sum())
            for images, labels in zip(x.split(1024), y.split(1024), strict=True)
        )
    with tempfile.TemporaryDirectory() as out:
        torch.save(model.state_dict(), Path(out) / "model.pt")
    print(json.dumps({"accuracy": correct / len(x)}))


if __name__ == "__main__":
    main()
