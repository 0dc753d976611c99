"""How many rows a comparison of two models needs, and what difference so many rows can show.

By the power of the t test of paired differences (statsmodels.stats.power.TTestPower).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


def rows_needed(
    difference: float,
    *,
    base_share: float | None = None,
    discordance: float | None = None,
    spread: float | None = None,
    correlation: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int:
    """How many rows, each a document of its own, show a difference of this size with this power, two-sided.

    What counts is the standard deviation of the paired differences:

    - of yes/no measures sqrt(discordance - difference^2) (Connor 1987, Biometrics 43:207), where the
      discordance is the share of rows that only one of the two models gets right. Without one it follows from
      `base_share` and the correlation of the two models' rows; (gained + lost) / n of an earlier gain is
      better. Never fewer rows than the exact McNemar test needs to reach alpha at all; of few changed
      rows its power is some points below the t test's.
    - of others spread * sqrt(2 (1 - correlation)), where `spread` is the standard deviation over a model's
      rows.

    Rows that share documents tell less than as many documents do. Raises ValueError naming the field.
    """
    from statsmodels.stats.power import TTestPower

    _check_plan(power, alpha, correlation)
    if not np.isfinite(difference) or difference == 0:
        raise ValueError("difference: give the difference to be shown, such as 0.05.")
    plan = _Plan(base_share, discordance, spread, correlation)
    deviation = plan.deviation(difference)
    fewest = plan.fewest(difference, power, alpha)
    if _power(TTestPower(), difference, deviation, fewest, alpha) >= power:
        return fewest
    rows = TTestPower().solve_power(effect_size=abs(difference) / deviation, alpha=alpha, power=power)
    return max(fewest, int(np.ceil(float(np.squeeze(rows)) - 1e-9)))


def detectable(
    rows: int,
    *,
    base_share: float | None = None,
    discordance: float | None = None,
    spread: float | None = None,
    correlation: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> float | None:
    """The smallest gain that so many rows show with this power: the inverse of `rows_needed`.

    None where not even the greatest gain there can be is shown. Raises ValueError naming the field.
    """
    from scipy.optimize import brentq
    from statsmodels.stats.power import TTestPower

    _check_plan(power, alpha, correlation)
    if rows < 2:
        raise ValueError(f"rows: {rows} are too few to compare; give 2 or more.")
    plan, test = _Plan(base_share, discordance, spread, correlation), TTestPower()

    def lacking(difference: float) -> float:
        if rows < plan.fewest(difference, power, alpha):
            return -power
        return _power(test, difference, plan.deviation(difference), rows, alpha) - power

    least, most = plan.range()
    if lacking(most) < 0:
        return None
    return float(brentq(lacking, least, most, xtol=1e-6)) if lacking(least) < 0 else least


@dataclass(frozen=True)
class _Plan:
    """What is assumed of the rows of a comparison to come."""

    base_share: float | None
    discordance: float | None
    spread: float | None
    correlation: float

    def __post_init__(self) -> None:
        if self.spread is not None:
            if not np.isfinite(self.spread) or self.spread <= 0:
                raise ValueError("spread: give a standard deviation above 0, such as 0.2.")
        elif self.discordance is not None:
            if not 0 < self.discordance <= 1:
                raise ValueError(f"discordance: {self.discordance:g} is no share; give one above 0, up to 1.")
        elif self.base_share is None:
            raise ValueError("base_share: give the share that is right now, the discordance or the spread.")
        if self.base_share is not None and not 0 <= self.base_share <= 1:
            raise ValueError(f"base_share: {self.base_share:g} is no share; give 0 to 1.")

    def changed(self, difference: float) -> float:
        """The share of rows that only one of the two gets right."""
        if self.base_share is not None and not 0 <= self.base_share + difference <= 1:
            raise ValueError(
                f"difference: {self.base_share:g} {difference:+g} is no share; give a smaller difference."
            )
        if self.discordance is not None:
            if abs(difference) > self.discordance:
                raise ValueError(
                    f"difference: {difference:g} is more than the {self.discordance:g} of rows that change; "
                    "give a smaller difference or a greater discordance."
                )
            return self.discordance
        before, after = self.base_share, self.base_share + difference
        by_chance = before * (1 - after) + after * (1 - before)
        shared = 2 * self.correlation * np.sqrt(before * (1 - before) * after * (1 - after))
        return float(max(by_chance - shared, abs(difference)))

    def fewest(self, difference: float, power: float, alpha: float) -> int:
        """The rows without which no result reaches alpha with this power.

        Of k rows that changed the exact McNemar test's best p is 2 / 2^k; so many must be among them.
        """
        from scipy.stats import nbinom

        if self.spread is not None:
            return 2
        changed = int(np.ceil(np.log2(2 / alpha)))
        return changed + int(nbinom.ppf(power, changed, self.changed(difference)))

    def deviation(self, difference: float) -> float:
        """The standard deviation of the rows' differences."""
        if self.spread is not None:
            return self.spread * float(np.sqrt(2 * (1 - self.correlation)))
        return float(np.sqrt(max(self.changed(difference) - difference**2, 0.0)))

    def range(self) -> tuple[float, float]:
        """The least and the greatest gain that is looked at."""
        if self.spread is not None:
            return 1e-6, 100 * self.spread
        rest = 1.0 if self.base_share is None else 1 - self.base_share
        most = min(rest, 1.0 if self.discordance is None else self.discordance)
        return min(1e-6, most), most


def _power(test: Any, difference: float, deviation: float, rows: int, alpha: float) -> float:
    if deviation == 0:
        return 1.0
    # Of very large effects statsmodels' distribution gives NaN: they are as good as certain.
    return float(np.nan_to_num(test.power(abs(difference) / deviation, rows, alpha), nan=1.0))


def _check_plan(power: float, alpha: float, correlation: float) -> None:
    for name, value in (("power", power), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ValueError(f"{name}: {value:g} is no probability; give one between 0 and 1.")
    if not -1 < correlation < 1:
        raise ValueError(f"correlation: {correlation:g} is not between -1 and 1.")
