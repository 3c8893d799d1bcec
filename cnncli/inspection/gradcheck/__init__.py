"""Proof that the gradients are right: what backward computes against what forward passes say.

`gradcheck` checks a network, `self_test` checks gradcheck on it, by planting errors.
"""

from cnncli.inspection.gradcheck.check import Mapped, Progress, gradcheck
from cnncli.inspection.gradcheck.error_map import ErrorMap
from cnncli.inspection.gradcheck.pictures import board
from cnncli.inspection.gradcheck.planted import Attempt, SelfTestReport, self_test
from cnncli.inspection.gradcheck.report import GradcheckReport, TensorCheck, Verdict

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
    "gradcheck",
    "self_test",
]
