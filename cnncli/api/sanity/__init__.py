"""The proof, on this network and these data, that training works: what is true of every training that does.

Each check has its own file and says what it measured, what it expected, and what is likely to mend it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Literal, Unpack

import numpy as np

from cnncli.api.sanity import alone, data, initial_loss, memorise, proof, reach, repeat, resume, shuffled
from cnncli.api.sanity.finding import Check, Finding
from cnncli.api.sanity.lab import Lab
from cnncli.api.session import Network, SessionOptions, resolve
from cnncli.errors import CnncliError
from cnncli.inspection.sanity import Sanity, SanityRow

CHECKS: tuple[Check, ...] = (
    data.INPUTS,
    data.TARGETS,
    initial_loss.CHECK,
    reach.OUTPUTS,
    reach.PARAMETERS,
    alone.CHECK,
    proof.CHECK,
    memorise.CHECK,
    shuffled.CHECK,
    repeat.CHECK,
    resume.CHECK,
)
"""In the order in which one thing depends on another."""

Progress = Callable[[str, int, int], None]
"""Is told the name of the check at work, how many were before it, and how many there are."""


def sanity(
    network: Network | None = None, *, progress: Progress | None = None, **options: Unpack[SessionOptions]
) -> Sanity:
    """Checks that the network, the data and the training belong together, by measuring.

    The network is drawn anew from the configured seed for every check: a session's weights are neither used nor
    changed, and nothing is written but to a temporary folder. `progress` is told what is done next.

    Raises what `load` does, UsageError without data, and DataError where the data cannot be read.
    """
    lab = Lab(resolve(network, options))
    _ = lab.train  # so that what is wrong with the data as a whole is an error, not a finding
    tell = progress or (lambda name, done, total: None)
    started = perf_counter()
    rows = tuple(_rows(lab, tell))
    verdict: Literal["PASS", "FAIL"] = "FAIL" if any(row.verdict == "FAIL" for row in rows) else "PASS"
    return Sanity(lab.experiment.name, verdict, rows, perf_counter() - started)


def _rows(lab: Lab, tell: Progress) -> Iterator[SanityRow]:
    unfit = False
    for done, check in enumerate(CHECKS):
        tell(check.name, done, len(CHECKS))
        started = perf_counter()
        if unfit and check.needs_targets:
            found = Finding("SKIP", "", "", "the targets have to fit the outputs first")
        else:
            found, cannot = _run(check, lab)
            unfit = unfit or (check is data.TARGETS and cannot)
        yield SanityRow(check.name, found.verdict, found.measured, found.expected, found.fix, perf_counter() - started)


def _run(check: Check, lab: Lab) -> tuple[Finding, bool]:
    """What was found, and whether that is an error instead of a measurement."""
    try:
        with np.errstate(all="ignore"):
            return check.run(lab), False
    except CnncliError as error:
        what, _, fix = str(error).partition("; ")
        return Finding("FAIL", what, "no error", fix), True
