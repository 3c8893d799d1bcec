"""Who may know whom: the arrows between the rooms point downwards only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cnncli

PACKAGE = Path(cnncli.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "_bundled" not in path.parts)

ARROWS = {
    "__main__": {"cli"},
    "cli": {"api", "render"},
    "api": {"config", "inspection", "bundled"},
    "config": {"training", "data"},
    "training": {"data", "engine"},
    "data": {"engine", "files", "bundled", "wording"},
    "inspection": {"engine", "wording"},
    "render": {"files", "wording"},
    "engine": {"graph", "losses", "machine", "processes"},
    "graph": {"layers"},
    "losses": {"layers"},
    "layers": {"kernels"},
    "kernels": {"errors"},
    "files": {"errors"},
    "bundled": {"errors", "wording"},
    "errors": set(),
    "machine": set(),
    "processes": set(),
    "wording": set(),
}
TYPES_ONLY = {"render": {"inspection", "engine", "layers"}}
"""What a room may name in annotations, though it must not run it."""

PURE = ("kernels", "layers", "graph", "losses", "engine")
PRESENTATION = {"typer", "rich", "PIL", "yaml"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def below(room: str) -> set[str]:
    return {room}.union(*(below(other) for other in ARROWS[room]))


def imports(path: Path, *, types: bool) -> Iterator[str]:
    """The modules that a file imports, dotted; with `types` those for annotations alone, else the others."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guards = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    for_types = {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if (node in for_types) != types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "cnncli" else [module]


def rooms(path: Path, *, types: bool = False) -> set[str]:
    """Those that a file imports from; the package itself (its version) belongs to everybody."""
    parts = [name.split(".") for name in imports(path, types=types)]
    return {part[1] for part in parts if part[0] == "cnncli" and len(part) > 1} - {"__version__"}


def test_every_room_is_on_the_map() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} <= set(ARROWS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_downwards(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert rooms(path) == set()
        return
    assert rooms(path) <= below(room)
    assert rooms(path, types=True) <= below(room) | TYPES_ONLY.get(room, set())


INSPECTION, VIEWS = PACKAGE / "inspection", PACKAGE / "inspection" / "views"
PICTURES = {INSPECTION / "gradcheck" / "pictures.py"}
"""Makes boards, though it stands beside what it shows."""
COMPUTING = [path for path in FILES if path.is_relative_to(INSPECTION) and not path.is_relative_to(VIEWS)]


@pytest.mark.parametrize(
    "path", sorted(set(COMPUTING) - PICTURES), ids=lambda path: path.relative_to(INSPECTION).as_posix()
)
def test_views_know_what_is_computed_and_not_the_other_way_round(path: Path) -> None:
    known = {*imports(path, types=False), *imports(path, types=True)}
    assert not {module for module in known if module.startswith("cnncli.inspection.views")}


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) in PURE], ids=lambda path: path.stem)
def test_the_engine_knows_nothing_of_files_and_screens(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imports(path, types=False)} & PRESENTATION


def test_only_layers_ask_what_kind_a_layer_is() -> None:
    from cnncli.layers import LAYERS

    kinds = {kind.__name__ for kind in LAYERS.values()}
    offenders = []
    for path in FILES:
        if room_of(path) == "layers":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
                named = {inner.id for inner in ast.walk(node.args[1]) if isinstance(inner, ast.Name)}
                named |= {inner.attr for inner in ast.walk(node.args[1]) if isinstance(inner, ast.Attribute)}
                offenders += [f"{path}:{node.lineno}"] if named & kinds else []
    assert offenders == []


LIBRARIES = {"numpy", "pydantic", "PIL", "yaml", "safetensors"}


@pytest.mark.parametrize(
    ("code", "heavy"),
    [
        ("import cnncli", LIBRARIES),
        ("from cnncli.__main__ import main; main(['--help'])", LIBRARIES),
        ("import cnncli.api.predict, cnncli.api.train", {"PIL", "rich", "typer"}),
    ],
)
def test_what_need_not_be_loaded_is_not(code: str, heavy: set[str]) -> None:
    """Nothing waits for a library that it does not need."""
    script = f"import sys; {code}; sys.exit(', '.join({heavy} & set(sys.modules)) or None)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
