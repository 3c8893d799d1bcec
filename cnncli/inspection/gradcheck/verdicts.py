"""From numbers to a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Of a number, a tensor or the whole check; the whole one is PASS, FAIL or INCONCLUSIVE."""

    PASS = "PASS"
    FAIL = "FAIL"
    SUSPICIOUS = "SUSPICIOUS"
    """Off by more than rounding explains and less than an error would be, or the two oracles contradict each other."""
    KINK = "KINK"
    """The function has a corner there: backward's slope lies between the two one-sided ones, no more can be said."""
    UNCHECKED = "UNCHECKED"
    """Rounding hides the answer, or there was none."""
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class Tolerance:
    """Relative errors up to `good` are rounding; above `bad` they are errors."""

    good: float
    bad: float


COMPLEX = Tolerance(1e-10, 1e-8)
CENTRAL = Tolerance(1e-6, 1e-4)


def relative_error(analytic: float, numeric: float) -> float:
    """|a - n| / max(|a|, |n|); 0 where both are 0."""
    largest = max(abs(analytic), abs(numeric))
    return abs(analytic - numeric) / largest if largest else 0.0


def is_zero(analytic: float, numeric: float, noise: float) -> bool:
    """Both are nothing but rounding. The bias of a convolution before batch norm has such a gradient."""
    return max(abs(analytic), abs(numeric)) <= noise


def compare(analytic: float, numeric: float, noise: float, tolerance: Tolerance) -> Verdict:
    """`noise` is what rounding alone may have done to the difference."""
    error = relative_error(analytic, numeric)
    if error <= tolerance.good:
        return Verdict.PASS
    if abs(analytic - numeric) <= noise:
        return Verdict.PASS if error <= COMPLEX.bad else Verdict.UNCHECKED
    return Verdict.SUSPICIOUS if error <= tolerance.bad else Verdict.FAIL


def combine(by_complex: Verdict | None, by_central: Verdict, oracles_agree: bool) -> Verdict:
    """The complex step decides, being exact; differences guard against a forward pass that is another one for
    complex numbers. `by_complex` is None where there is no complex step."""
    if by_complex is None:
        return by_central
    if by_complex is Verdict.PASS and by_central is Verdict.FAIL:
        return Verdict.SUSPICIOUS
    if by_complex is Verdict.FAIL and not oracles_agree and by_central is not Verdict.FAIL:
        return Verdict.SUSPICIOUS
    return by_complex


def of_tensor(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst that was decided; but UNCHECKED if rounding hides more than can be seen."""
    for verdict in (Verdict.FAIL, Verdict.SUSPICIOUS):
        if verdict in verdicts:
            return verdict
    count = Counter(verdicts)
    if count[Verdict.UNCHECKED] > count[Verdict.PASS]:
        return Verdict.UNCHECKED
    return Verdict.PASS if count[Verdict.PASS] else Verdict.KINK


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """FAIL if anything failed, PASS if everything passed."""
    found = set(verdicts)
    if Verdict.FAIL in found:
        return Verdict.FAIL
    return Verdict.PASS if found == {Verdict.PASS} else Verdict.INCONCLUSIVE
