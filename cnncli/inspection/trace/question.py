"""Which number a trace is about."""

from __future__ import annotations

from dataclasses import dataclass

from cnncli.errors import UsageError
from cnncli.graph import INPUT, Graph, Model
from cnncli.inspection.names import only_nodes
from cnncli.inspection.trace.result import Place
from cnncli.wording import one_of

LOSS = "loss"
"""Under this name the loss is traced, if no layer has it."""


@dataclass(frozen=True)
class Question:
    """One number of the network. Where its place is not given, it is the largest that fits the rest."""

    layer: str
    channel: int | None = None
    at: Place | None = None
    sample: int = 0
    backward: bool = False
    """Its gradient."""
    weight: str | None = None
    """The gradient of this element of the layer's weight: "3,0,1,2", or "largest"."""
    bias: str | None = None
    receptive_field: bool = False

    @property
    def key(self) -> str | None:
        """The parameter that it is about, if it is."""
        return "weight" if self.weight is not None else "bias" if self.bias is not None else None

    @property
    def gradient(self) -> bool:
        """Whether it is about a gradient."""
        return self.backward or self.key is not None

    def is_loss(self, graph: Graph) -> bool:
        """Whether it is about the loss itself."""
        return self.layer == LOSS and LOSS not in graph.by_name

    def check(self, model: Model) -> None:
        """Raises UsageError where the network has no such layer or parameter, or the options do not go together."""
        only_nodes(model.graph, [self.layer], [LOSS])
        placed = self.channel is not None or self.at is not None
        if self.weight is not None and self.bias is not None:
            raise UsageError("--weight and --bias are two numbers; give one of them")
        if self.key is not None:
            self._check_parameter(model, self.key)
            if placed:
                raise UsageError(f"--{self.key} says which number is meant; leave out --channel and --at")
        if self.is_loss(model.graph) and (placed or self.backward):
            superfluous = "--channel and --at" if placed else "--backward"
            raise UsageError(f"--layer {LOSS}: it is one number, the start of all gradients; leave out {superfluous}")
        if self.receptive_field and (self.gradient or self.is_loss(model.graph)):
            raise UsageError(
                "--receptive-field shows what one output of a layer sees; it does not go with --backward, --weight, "
                "--bias or the loss"
            )
        if self.layer == INPUT and not self.gradient and not self.receptive_field:
            raise UsageError(f"--layer {INPUT}: it is given, not computed; see its gradient with --backward")

    def _check_parameter(self, model: Model, key: str) -> None:
        owners = [name for name, tensors in model.parameters.items() if key in tensors]
        if self.layer not in owners:
            others = f"; {one_of(owners)} has one" if owners else ", and no other layer has one"
            raise UsageError(f"--{key}: {self.layer} has no {key}{others}")
