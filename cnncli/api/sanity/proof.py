"""Are the gradients right?"""

from __future__ import annotations

from collections import Counter
from time import perf_counter

import numpy as np

from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab
from cnncli.graph import INPUT
from cnncli.inspection.gradcheck import TensorCheck, gradcheck

SAMPLES = 2
SECONDS = 15.0


def proof(lab: Lab) -> Finding:
    """`cnncli gradcheck` layer by layer, first those with parameters, as far as the time goes."""
    x, targets = lab.batch(SAMPLES)
    model = lab.new_model()
    names = sorted((node.name for node in lab.graph.nodes), key=lambda name: not model.parameters.get(name))
    verdicts: Counter[str] = Counter()
    wrong: list[TensorCheck] = []
    done, started = 0, perf_counter()
    for name in ("loss", INPUT, *names):
        if perf_counter() - started > SECONDS:
            break
        report = gradcheck(model, x.astype(np.float64), targets, lab.experiment.loss, layers=[name])
        verdicts.update(str(row.verdict) for row in report.tensors)
        wrong += [row for row in report.tensors if row.verdict == "FAIL"]
        done += 1
    measured = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    if done < len(names) + 2:
        measured += f", in {done - 2} of {len(names)} layers"
    expected = "backward fits forward"
    if wrong:
        first = min(wrong, key=lambda row: row.level != "layer")  # there it is; behind it the network's are wrong too
        fix = f"{first.name}: the gradient is wrong; 'cnncli gradcheck' says where and how"
        return Finding("FAIL", measured, expected, fix)
    if not verdicts["PASS"]:
        return Finding("SKIP", measured, expected, "nothing could be decided; 'cnncli gradcheck' says why")
    return Finding("PASS", measured, expected)


CHECK = Check("gradcheck", proof)
