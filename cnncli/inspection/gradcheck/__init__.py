"""Proof that the gradients are right: what backward computes against what forward passes say.

`gradcheck` checks a network, `self_test` checks gradcheck on it, by planting errors.
"""

from cnncli.inspection.gradcheck.check import Mapped, Progress, gradcheck
from cnncli.inspection.gradcheck.pictures import board, brief
from cnncli.inspection.gradcheck.planted import Attempt, SelfTestReport, self_test
from cnncli.inspection.gradcheck.report import ErrorMap, GradcheckReport, TensorCheck
from cnncli.inspection.gradcheck.verdicts import Verdict

__all__ = [
    "Attempt",
    "ErrorMap",
    "GradcheckReport",
    "Mapped",
    "Progress",
    "SelfTestReport",
    "TensorCheck",
    "Verdict",
    "board",
    "brief",
    "gradcheck",
    "self_test",
]
