"""What the health of the layers tells. Each look returns a sentence with the likely fix, or None.

A layer that is frozen has neither gradient nor update, and is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnncli.training.advice.evidence import Evidence
from cnncli.training.advice.wording import layer_names, lower_rate, scaled_targets
from cnncli.training.health import Health

DEAD = 0.75
LARGE_UPDATE, SMALL_UPDATE = 0.05, 1e-5
LARGE_GRADIENT, VANISHED = 10.0, 2e-3
LARGE_SPREAD, SMALL_SPREAD = 1e3, 1e-4


def dead_rectifiers(evidence: Evidence) -> str | None:
    """Three quarters of a layer's units are 0 for each of the samples that are looked at.

    Of so few samples a healthy layer leaves units out too, the deeper and the wider the more, but seldom over half.
    Where nothing arrives they are not to blame.
    """
    dead = _dead(evidence.health)
    if not dead or vanishing_activations(evidence) is not None:
        return None
    share = max(each.dead or 0.0 for each in dead)
    return (
        f"dead ReLUs: in {layer_names(dead)} up to {share:.0%} of the units are 0 for every sample, and learn nothing "
        f"any more; try a lower learning rate ({lower_rate(evidence)}), batch_norm before them, or leaky_relu"
    )


def vanishing_gradients(evidence: Evidence) -> str | None:
    """The gradient of a layer, as a share of its weights, is 500 times smaller than that of the last layer, and the
    network has learned little. (Dead ReLUs, which are spoken of elsewhere, let little through too.)

    In the shipped networks, which learn, the factor is at most 50; each sigmoid layer costs one of 4 and more.
    """
    learning = [
        (each, each.gradient_norm / each.weight_norm)
        for each in evidence.health
        if each.gradient_norm and each.weight_norm
    ]
    if not learning:
        return None
    (last, at_last), (worst, at_worst) = learning[-1], min(learning, key=lambda pair: pair[1])
    if at_worst >= VANISHED * at_last or _dead(evidence.health) or evidence.has_learned:
        return None
    return (
        f"vanishing gradient: at {worst.node} it is {at_last / at_worst:,.0f} times smaller than at {last.node}, "
        "measured against the weights; try relu instead of sigmoid or tanh, batch_norm, init he_normal, or fewer layers"
    )


def exploding_gradients(evidence: Evidence) -> str | None:
    """The gradient of a layer is 10 times as large as its weights: one step of plain gradient descent, at the usual
    rates, would throw them over."""
    large = [
        each
        for each in evidence.health
        if each.gradient_norm and each.weight_norm and each.gradient_norm > LARGE_GRADIENT * each.weight_norm
    ]
    if not large:
        return None
    share = max((each.gradient_norm or 0.0) / (each.weight_norm or 1.0) for each in large)
    return (
        f"exploding gradient: in {layer_names(large)} it is up to {share:.0f} times as large as the weights; try "
        f"{scaled_targets(evidence.task)}--set train.clip_norm=1, or a lower learning rate ({lower_rate(evidence)})"
    )


def large_updates(evidence: Evidence) -> str | None:
    """A single update changes the weights of half the layers by more than a twentieth. About a thousandth is
    healthy, and a fortieth the most that was seen in networks that learn."""
    moved = [each for each in evidence.health if each.update_ratio]
    large = [each for each in moved if (each.update_ratio or 0.0) > LARGE_UPDATE]
    if not large or 2 * len(large) < len(moved):
        return None
    share = max(each.update_ratio or 0.0 for each in large)
    return (
        f"updates too large: one step changes the weights of {layer_names(large)} by up to {share:.0%}, and about 0.1% "
        f"is healthy; try a lower learning rate ({lower_rate(evidence)})"
    )


def small_updates(evidence: Evidence) -> str | None:
    """No layer changes by more than a hundred-thousandth in an update, and yet there is a lot to learn: the loss is
    more than half of that of guessing. (What has been learned may rest, and so may what the schedule holds back.)
    """
    moved = [each.update_ratio for each in evidence.health if each.update_ratio]
    held_back = evidence.last.lr < 0.5 * evidence.lr
    if not moved or max(moved) >= SMALL_UPDATE or held_back or evidence.has_learned:
        return None
    return (
        f"updates too small: no step changes the weights of a layer by more than {max(moved):.0e} of themselves, and "
        f"about 1e-03 is healthy; try a higher learning rate than {evidence.lr:.2g}: 'cnncli find-lr' finds one"
    )


def exploding_activations(evidence: Evidence) -> str | None:
    """The numbers within the network spread by more than 1,000, when the inputs do by about 1. The last layer is left
    out: of a regression it may be of any size."""
    large = [each for each in evidence.health[:-1] if each.std > LARGE_SPREAD]
    if not large:
        return None
    return (
        f"exploding activations: their standard deviation is {large[0].std:.2g} at {large[0].node}, and about 1 is "
        "healthy; try init he_normal, batch_norm, or a lower learning rate "
        f"({lower_rate(evidence)}), and see that the inputs are normalised"
    )


def vanishing_activations(evidence: Evidence) -> str | None:
    """The numbers within the network spread by less than a ten-thousandth, so that the inputs hardly matter. Behind a
    layer of dead ReLUs, which is spoken of elsewhere, that is no wonder."""
    for each in evidence.health[:-1]:
        if each.dead == 1:
            return None
        if each.std < SMALL_SPREAD:
            return (
                f"vanishing activations: their standard deviation is {each.std:.1g} at {each.node}, and about 1 is "
                "healthy; try init he_normal for relu, xavier_normal for tanh and sigmoid, or batch_norm"
            )
    return None


def _dead(health: Sequence[Health]) -> list[Health]:
    return [each for each in health if each.dead is not None and each.dead >= DEAD]
