"""Proof that the gradients are right: what backward computes against what forward passes say.

`gradcheck` checks a network, `self_test` checks gradcheck on it, by planting errors.
"""

from cnncli.inspection.gradcheck.check import Progress, gradcheck
from cnncli.inspection.gradcheck.planted import Attempt, SelfTestReport, self_test
from cnncli.inspection.gradcheck.report import GradcheckReport, TensorCheck, Verdict

__all__ = [
    "Attempt",
    "GradcheckReport",
    "Progress",
    "SelfTestReport",
    "TensorCheck",
    "Verdict",
    "gradcheck",
    "self_test",
]
