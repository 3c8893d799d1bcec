"""One epoch of MNIST in Keras: the network, batch size and optimizer of configs/mnist-keras.yaml.

    python benchmarks/peers/mnist_keras.py DIR

With `fit` and `evaluate`, as Keras's first tutorial. Writes the weights; prints the test accuracy as JSON.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

EPOCHS, BATCH_SIZE = 1, 32


def read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Normalised images (N, 28, 28, 1) and labels (N,)."""
    images = np.frombuffer(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    x = (images.reshape(-1, 28, 28, 1).astype("float32") / 255 - 0.1307) / 0.3081
    return x, labels


def main() -> None:
    """Trains and evaluates."""
    keras.utils.set_random_seed(0)
    folder = Path(sys.argv[1])
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = read(folder, "train")
    model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=0)
    x, y = read(folder, "t10k")
    _, accuracy = model.evaluate(x, y, batch_size=1024, verbose=0)
    with tempfile.TemporaryDirectory() as out:
        model.save_weights(Path(out) / "model.weights.h5")
    print(json.dumps({"accuracy": accuracy}))


if __name__ == "__main__":
    main()
