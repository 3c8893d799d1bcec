"""The public names of the package."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

import cnncli


@pytest.mark.parametrize("name", cnncli.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(cnncli, name)
    assert name == "__version__" or value.__doc__


def test_what_is_declared_for_type_checkers_is_what_is_exported() -> None:
    tree = ast.parse(Path(cnncli.__file__).read_text(encoding="utf-8"))
    guard = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.asname: node.module for node in guard.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert declared == cnncli._HOMES
    assert all(hasattr(cnncli, name) for name in declared)


def test_all_that_is_public_is_listed() -> None:
    assert set(dir(cnncli)) == set(cnncli.__all__) == {"__version__", *cnncli._HOMES}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = cnncli.trian


def test_the_version_is_the_distribution_s() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert cnncli.__version__ == project["project"]["version"]
