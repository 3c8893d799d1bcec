"""Who takes part: one module each, which offers `version()` and `runners(job, mode, threads)`."""

from __future__ import annotations

from importlib.util import find_spec

TITLES = {"cnncli": "cnncli", "pytorch": "PyTorch", "keras": "Keras", "jax": "JAX"}

OURS = "cnncli"

PACKAGES = {"pytorch": ("torch",), "keras": ("keras", "tensorflow"), "jax": ("jax", "optax")}
"""What each peer needs."""

PEERS = tuple(PACKAGES)


def missing(peer: str) -> list[str]:
    """The packages that are not installed."""
    return [package for package in PACKAGES[peer] if find_spec(package) is None]
