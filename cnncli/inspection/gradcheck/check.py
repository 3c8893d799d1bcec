"""The whole check: every layer alone, the loss alone, and the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnncli.engine import Executor, LossObjective, record_forward
from cnncli.engine.plan import UNIT
from cnncli.errors import UsageError
from cnncli.graph import INPUT, Model, Node
from cnncli.inspection.gradcheck.diagnosis import explain, explain_simply, worst, wrong_shape
from cnncli.inspection.gradcheck.error_map import error_map
from cnncli.inspection.gradcheck.examination import Examination, Trial
from cnncli.inspection.gradcheck.functions import Function, LayerFunction, LossFunction, NetworkFunction, is_input
from cnncli.inspection.gradcheck.report import ErrorMap, GradcheckReport, TensorCheck
from cnncli.inspection.gradcheck.sampling import numbers_for
from cnncli.inspection.gradcheck.verdicts import Verdict, of_tensor, overall
from cnncli.inspection.names import only_nodes
from cnncli.losses import Loss

Array = NDArray[Any]

LOSS = "loss"
"""What the loss is called among the layers."""

Progress = Callable[[str, int, int], None]
"""Is told the name of what is being checked, how many were before it, and how many there are in all."""

Mapped = Literal["none", "failed", "all"]
"""Of which tensors a map of the error is made. With "failed", of the network's tensors only where every layer alone is
right: otherwise the layers' maps show where the error comes from."""


def gradcheck(
    model: Model,
    x: Array,
    targets: Array,
    loss: Loss,
    *,
    layers: Sequence[str] = (),
    seed: int = 0,
    mapped: Mapped = "none",
    progress: Progress | None = None,
) -> GradcheckReport:
    """Compares every gradient that backward computes with what forward passes say, in float64, in training mode.

    x is (N, *input_shape), N at most 8 (3 are enough), `targets` as the data set has them. `layers` are the nodes to be
    checked, "input" and "loss" among them; none given: all. `mapped` says of which tensors the report has a map of the
    error. The numbers found for a tensor go by the seed and its name alone: not by what else is checked, or mapped.

    The model is left as it is: batch norm uses the batch's statistics and moves no running ones, dropout has the same
    masks throughout.

    Raises UsageError, and DataError where the targets do not fit.
    """
    graph = model.graph
    if not 1 <= len(x) <= UNIT:
        raise UsageError(f"gradcheck takes 1 to {UNIT} samples, but got {len(x)}; 3 are enough")
    wanted = only_nodes(graph, layers, [LOSS])
    x = np.asarray(x, np.float64)
    working = model.astype(np.float64)
    objective = LossObjective.of(loss, graph, targets)
    jittered = _jitter(working, seed)
    # The executor stays open, for BLAS to stay on one thread: the products are small, and its threads wait by spinning.
    with np.errstate(all="ignore"), Executor(working, workers=1, seed=seed) as executor:
        values = record_forward(executor, x, training=True).activations
        alone: list[tuple[str, Function]] = [(node.name, _layer(working, node, values, seed)) for node in graph.nodes]
        upstream = numbers_for(seed, "upstream", LOSS).normal(size=len(x))
        alone.append((LOSS, LossFunction(objective, values[objective.at], upstream)))
        checker = _Checker(wanted, seed, mapped, progress, total=len(graph.nodes) + 2)
        for name, function in alone:
            checker.alone(name, function)
        checker.together(NetworkFunction(working, x, objective, seed))
    found = tuple(checker.found)
    verdict = overall(check.verdict for check in found)
    return GradcheckReport(verdict, found, len(x), seed, jittered, tuple(checker.maps))


def _jitter(model: Model, seed: int) -> tuple[str, ...]:
    """Gives parameters that are all 0 small numbers away from 0."""
    jittered = []
    for node, params in model.parameters.items():
        for key, array in params.items():
            if not array.any():
                rng = numbers_for(seed, "jitter", node, key)
                array[...] = rng.uniform(0.01, 0.1, array.shape) * rng.choice([-1, 1], array.shape)
                jittered.append(f"{node}.{key}")
    return tuple(jittered)


def _layer(model: Model, node: Node, values: Mapping[str, Array], seed: int) -> LayerFunction:
    xs = tuple(values[name] for name in node.inputs)
    params, buffers = model.parameters.get(node.name, {}), model.buffers.get(node.name, {})
    upstream = numbers_for(seed, "upstream", node.name).normal(size=(*node.shape, len(xs[0])))
    return LayerFunction(node, params, buffers, xs, upstream, seed)


class _Checker:
    """Collects what is found; knows what the layers alone came to when it comes to the network."""

    def __init__(
        self,
        layers: AbstractSet[str],
        seed: int,
        mapped: Mapped,
        progress: Progress | None,
        total: int,
    ) -> None:
        self.found: list[TensorCheck] = []
        self.maps: list[ErrorMap] = []
        self._layers = layers
        self._seed = seed
        self._mapped = mapped
        self._progress = progress
        self._total = total
        self._done = 0
        self._alone: set[str] = set()
        self._unusable = False

    def alone(self, node: str, function: Function) -> None:
        self._tell(node)
        self._alone.add(node)
        if node not in self._layers:
            return
        names = {name: (node, name) for name in function.tensors}
        self.found += self._check(function, names, "layer")

    def together(self, function: NetworkFunction) -> None:
        self._tell("network")
        keys = {name: tuple(name.rsplit(".", 1)) if name != INPUT else (INPUT, INPUT) for name in function.tensors}
        names = {name: (key[0], key[1]) for name, key in keys.items() if key[0] in self._layers}
        if self._unusable:
            hint = "not looked at: first mend the gradient that is missing or has the wrong shape"
            self.found += [TensorCheck(*key, "network", Verdict.UNCHECKED, hint=hint) for key in names.values()]
            return
        if not np.allclose(function.executed(), function.base.terms, rtol=1e-6, equal_nan=True):
            hint = "the executor's loss is not that of the layers called one by one: something is overwritten too early"
            self.found.append(TensorCheck(function.objective.at, "output", "network", Verdict.FAIL, hint=hint))
        self.found += list(self._check(function, names, "network"))

    def _tell(self, name: str) -> None:
        if self._progress is not None:
            self._progress(name, self._done, self._total)
        self._done += 1

    def _check(self, function: Function, names: Mapping[str, tuple[str, str]], level: str) -> Iterator[TensorCheck]:
        gradients = function.gradients(function.cotangent)
        obstacle = _obstacle(function, gradients)
        for name, (node, tensor) in names.items():
            blank = TensorCheck(node, tensor, level, Verdict.UNCHECKED, hint=obstacle)
            yield blank if obstacle else self._tensor(blank, function, name, gradients.get(name))

    def _tensor(self, blank: TensorCheck, function: Function, name: str, gradient: Array | None) -> TensorCheck:
        point = function.tensors[name]
        if gradient is None or gradient.shape != point.shape:
            self._unusable = True
            hint = "there is none" if gradient is None else wrong_shape(gradient.shape, point.shape)
            return replace(blank, verdict=Verdict.FAIL, hint=hint)
        if not np.isfinite(gradient).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(gradient))[0])
            value = float(gradient[index])
            return replace(blank, verdict=Verdict.FAIL, index=index, analytic=value, hint="it is not finite")
        key = (blank.level, blank.node, blank.tensor)
        examination = Examination(function, name, gradient, numbers_for(self._seed, *key))
        trials = list(examination.trials())
        check = _summed_up(blank, examination, trials)
        if self._is_mapped(check):
            self.maps.append(error_map(check, examination, numbers_for(self._seed, "map", *key)))
        return replace(check, hint=self._hint(check, examination, trials))

    def _is_mapped(self, check: TensorCheck) -> bool:
        if self._mapped != "failed":
            return self._mapped == "all"
        return check.verdict is Verdict.FAIL and (check.level == "layer" or not self._failed_alone())

    def _failed_alone(self) -> list[TensorCheck]:
        return [check for check in self.found if check.level == "layer" and check.verdict is Verdict.FAIL]

    def _hint(self, check: TensorCheck, examination: Examination[Function], trials: list[Trial]) -> str | None:
        if check.verdict is Verdict.FAIL:
            if check.level == "network":
                return self._network_hint(check, examination, trials)
            return explain(examination, trials)
        return {
            Verdict.SUSPICIOUS: "off by more than rounding, or the oracles contradict each other",
            Verdict.KINK: "all of it lies on corners of the function, where no slope is the right one",
            Verdict.UNCHECKED: "hidden by rounding; is something computed in single precision?",
        }.get(check.verdict)

    def _network_hint(self, check: TensorCheck, examination: Examination[Function], trials: list[Trial]) -> str:
        """Whose fault it is: its own layer's, another's, or that of how they are joined."""
        failed = self._failed_alone()
        own = [other for other in failed if (other.node, other.tensor) == (check.node, check.tensor)]
        if own:
            return f"as in the layer alone: {own[0].hint}"
        passing_on = [other.name for other in failed if is_input(other.tensor)]
        if passing_on:
            return f"what reaches it is wrong: see {', '.join(passing_on)}"
        text = explain_simply(examination, trials)
        start = "what reaches it is wrong, though each layer alone is right"
        if not self._layers >= self._alone:
            start = "what reaches it is wrong, perhaps in a layer that was left out"
        return f"{start}: {text}" if text else start


def _obstacle(function: Function, gradients: Mapping[str, Array | None]) -> str | None:
    """Why nothing can be compared."""
    if not np.isfinite(function.base.terms).all():
        return "the forward pass gives numbers that are not finite"
    name, value = next(iter(function.tensors.items()))
    if not np.array_equal(function.forward(name, value).terms, function.base.terms):
        return "two forward passes with the same numbers differ"
    for key, again in function.gradients(function.cotangent).items():
        gradient = gradients.get(key)
        if gradient is not None and again is not None and not np.array_equal(gradient, again, equal_nan=True):
            return f"two backward passes with the same numbers differ, in the gradient of {key}"
    return None


def _summed_up(blank: TensorCheck, examination: Examination[Function], trials: list[Trial]) -> TensorCheck:
    telling = [trial for trial in trials if trial.analytic or trial.numeric]  # 0 is right almost everywhere
    verdict = of_tensor([trial.verdict for trial in telling or trials])
    counts = {kind: sum(trial.verdict is kind for trial in trials) for kind in (Verdict.KINK, Verdict.UNCHECKED)}
    decided = [trial for trial in trials if trial.verdict not in counts]
    check = replace(
        blank,
        verdict=verdict,
        checked=len(decided),
        kinks=counts[Verdict.KINK],
        unchecked=counts[Verdict.UNCHECKED],
        relative_error=max((trial.error for trial in decided), default=None),
    )
    place = worst(examination, decided or trials)
    if place is None:
        return check
    return replace(check, index=place.probe.index, analytic=place.analytic, numeric=place.numeric, oracle=place.oracle)
