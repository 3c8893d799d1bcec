"""The JSON Schema says of configurations what `load` says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cnncli.config import load, schema
from cnncli.config.document import compose, place_in
from cnncli.config.place import Problems
from cnncli.config.tree import plain
from cnncli.data import SOURCES
from cnncli.layers import LAYERS
from cnncli.losses import LOSSES
from cnncli.training.optimizers import OPTIMIZERS
from tests.config.test_bad_configs import Bad, table
from tests.config.test_shipped_configs import CONFIGS


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


def values(text: str) -> Any:
    tree = compose(text, place_in("f"), Problems())
    return None if tree is None else json.loads(json.dumps(plain(tree)))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_config_is_valid_as_written_and_resolved(validator: Draft202012Validator, path: Any) -> None:
    for text in (path.read_text(encoding="utf-8"), load(path).to_yaml()):
        assert [error.message for error in validator.iter_errors(values(text))] == []


# Mistakes that a schema can know: it sees no order and no shapes, and to it 5.0 is a whole number.
KNOWN = re.compile(
    r"""^[0-9:]+\ (
    '[a-z_.]+'\ must\ be\ (?!.*;\ write\ [0-9])
    |unknown\ (key|kind|loss|optimizer|data\ source)
    |unknown\ layer\ .*\(valid:
    |[a-z_0-9\ ]+\ needs\ '
)""",
    re.VERBOSE | re.MULTILINE,
)
FINDABLE = [bad for bad in table() if not bad.overrides and KNOWN.search(bad.problems)]


@pytest.mark.parametrize("bad", FINDABLE, ids=lambda bad: bad.name)
def test_finds_what_is_unknown_missing_or_of_the_wrong_kind(validator: Draft202012Validator, bad: Bad) -> None:
    assert not validator.is_valid(values(bad.text))


def test_bare_words_stand_for_kinds_without_required_options(validator: Draft202012Validator) -> None:
    for name, words in (("relu", True), ("conv2d", False)):
        assert validator.is_valid({"model": {"input": [1, 8, 8], "layers": [name]}}) is words


def test_every_kind_and_every_option_is_described() -> None:
    text = json.dumps(schema())
    for registry in (LAYERS, LOSSES, OPTIMIZERS, SOURCES):
        for name, kind in registry.items():
            assert f'"{name}"' in text
            for key, field in kind.model_fields.items():
                assert f'"{field.alias or key}"' in text
                assert field.description, f"{name}.{key}"


def test_has_no_titles_and_says_which_draft_it_is() -> None:
    document = schema()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["additionalProperties"] is False
