"""From a question to the number that it is about, and the arithmetic of that."""

from __future__ import annotations

import numpy as np

from cnncli.engine import LossObjective
from cnncli.errors import UsageError
from cnncli.graph import INPUT
from cnncli.inspection.trace import gradients, values
from cnncli.inspection.trace.place import in_parameter, in_value
from cnncli.inspection.trace.question import LOSS, Question
from cnncli.inspection.trace.result import Arithmetic, Number
from cnncli.inspection.trace.scene import Scene


def number_of(scene: Scene, question: Question) -> tuple[Number, float]:
    """The number that is meant, and the engine's value of it.

    Raises UsageError where the place does not exist, or the objective does not depend on the number.
    """
    name, sample, recording = question.layer, question.sample, scene.recording
    graph = scene.model.graph
    if question.is_loss(graph):
        assert recording.values is not None
        return Number(LOSS, None, LOSS, (), (), sample, False), float(recording.values[sample])
    kind = INPUT if name == INPUT else graph.by_name[name].layer.type
    if question.gradient and name not in recording.gradients:
        assert scene.objective is not None
        raise UsageError(
            f"--layer {name}: what is differentiated does not depend on it; it reads {scene.objective.at}, which "
            "comes before or beside it"
        )
    if question.key is not None:
        given = question.weight if question.weight is not None else question.bias
        assert given is not None
        array = recording.parameter_gradients[name][question.key]
        index = in_parameter(f"{name}.{question.key}", f"--{question.key}", array, given)
        return Number(name, question.key, kind, array.shape, index, None, True), float(array[index])
    array = (recording.gradients if question.backward else recording.activations)[name][sample]
    index = in_value(name, abs(array) if question.backward else array, question.channel, question.at)
    return Number(name, None, kind, array.shape, index, sample, question.backward), float(array[index])


def explain(scene: Scene, number: Number, classes: tuple[str, ...] = ()) -> Arithmetic:
    """How the number comes about, from passes of single layers. `classes` are the names of the outputs, if any."""
    objective = scene.objective
    with np.errstate(all="ignore"):  # NaN and infinity are shown like other numbers
        if number.sample is None:
            assert number.key is not None
            return gradients.of_parameter(scene, scene.model.graph.by_name[number.node], number.key, number.index)
        if number.gradient:
            assert objective is not None
            return gradients.of_value(scene, objective, number.node, number.sample, number.index)
        if not number.shape:
            assert isinstance(objective, LossObjective)
            return values.of_loss(scene, objective, number.sample, classes)
        return values.of_value(scene, scene.model.graph.by_name[number.node], number.sample, number.index)
