"""Does the network learn what the labels say, and nothing where they say nothing?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab
from cnncli.data.dataset import Split
from cnncli.training.settings import Rhythm

Array = NDArray[Any]

SECONDS = 6.0
"""For each of the two trainings, about."""
MOST_SAMPLES, LEAST_SAMPLES = 4000, 200
MOST_EPOCHS, LEAST_STEPS = 20, 150
LEAST_JUDGED = 20
LEAST_SKILL = 0.05
"""Share of the best constant prediction's loss that a network that has learnt something does without."""
LUCK = 0.25
"""Where the real labels do away with more, so much of that may be gone with shuffled ones: in data that are few, or of
few kinds, some of the noise that was learnt happens to be right."""
GOLDEN = (5**0.5 - 1) / 2
PLAIN = {
    "validate_every": Rhythm(epochs=1),
    "ema": None,
    "class_weight": None,
    "metrics": (),
    "monitor": None,
    "early_stopping": None,
    "freeze": (),
    "weights": None,
}
"""What has no place in a training this short, or would change what is measured."""


def shuffled(lab: Lab) -> Finding:
    """Trained on shuffled labels the val split is predicted no better than by a constant; on the real ones it is.

    It is the loss that is compared: what little a network makes of labels without meaning goes by kinds of inputs, and
    so its accuracy may well be far from chance. Label smoothing is left out.
    """
    if len(lab.val) < LEAST_JUDGED:
        return Finding("SKIP", f"{len(lab.val)} samples to judge by", "", f"it takes {LEAST_JUDGED} at least")
    train = lab.train.take(np.arange(_samples(lab)))
    targets = evenly_shuffled(train.targets, np.random.default_rng([lab.experiment.seed, 1]))
    constant = lab.baseline(lab.val.targets).loss
    limit = (1 - LEAST_SKILL) * constant
    real = _learn(lab, train)
    guessed = _learn(lab, replace(train, targets=targets))
    least = min(limit, constant - LUCK * (constant - real))
    if guessed < least:
        fix = "what is learnt does not come from these labels: another place gives the answer away"
    else:
        fix = (
            "the labels do not belong to these inputs, or the learning rate is far too low or too high: see "
            "'cnncli data show' and 'cnncli find-lr'"
        )
    measured = f"loss {guessed:.2g}, real labels {real:.2g}"
    return Finding.of(real < limit and guessed >= least, measured, f"{least:.2g} at least, real below {limit:.2g}", fix)


def evenly_shuffled(targets: Array, rng: np.random.Generator) -> Array:
    """The same targets in another order. Of one number each, every kind of sample gets all kinds in their shares.

    Where classes are few, those that chance alone would leave at more than their share of the right samples can be
    learnt. (Multiples of the golden ratio, modulo 1, lie evenly in 0 to 1 over every stretch of them.)
    """
    order = rng.permutation(len(targets))
    if targets.ndim > 1:
        return targets[order]
    order = order[np.argsort(targets[order], kind="stable")]
    spread = np.argsort(np.argsort(np.arange(len(targets)) * GOLDEN % 1))
    shuffled = np.empty_like(targets)
    shuffled[order] = targets[order][spread]
    return shuffled


def _samples(lab: Lab) -> int:
    wanted = SECONDS * lab.samples_per_second / 2
    return int(min(max(wanted, LEAST_SAMPLES), MOST_SAMPLES, len(lab.train)))


def _learn(lab: Lab, train: Split) -> float:
    """The least loss on the val split in a short training, not augmented and at a constant learning rate."""
    steps_per_epoch = -(-len(train) // lab.experiment.train.batch_size)
    most = max(1, int(SECONDS * lab.samples_per_second / len(train)))
    epochs = min(max(-(-LEAST_STEPS // steps_per_epoch), 3), most, MOST_EPOCHS)
    dataset = replace(lab.dataset(train, lab.val), augment=(), sampling="shuffle")
    result = lab.fit(lab.new_model(), dataset, {**PLAIN, "epochs": epochs}, loss=lab.plain_loss)
    return min(record.val.loss for record in result.history if record.val is not None)


CHECK = Check("shuffled labels", shuffled)
