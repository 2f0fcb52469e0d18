"""Where nothing but the fit errs: ten actions of equal value, each fitted by a polynomial, and their maximum.

After figure 2 of van Hasselt, Guez & Silver (2016). A state is a number from -6 to 6. Each action's value is known at
the whole numbers, but for two neighbours, which differ from action to action: -5 and -4, -4 and -3, ..., 4 and 5.
"""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from gridrl.studies.judging import by_seed, positive, where
from gridrl.studies.study import Budget, Finding, Tables, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

Floats = NDArray[np.float64]

NUM_ACTIONS = 10
STATES = np.arange(-6, 7)
GRID = np.linspace(-6, 6, 121)
NOISES = (0.0, 0.2)  # standard deviation of what is added to each sample: the paper's, and the tutorial's


class Case(NamedTuple):
    """A true value, the same for all actions, and the degree of what is fitted."""

    truth: str
    degree: int

    @property
    def name(self) -> str:
        """The case in a few letters."""
        return f"{self.truth}, degree {self.degree}"

    def true_values(self, states: Floats) -> Floats:
        """Return the true value of `states`, in the same shape."""
        return np.sin(states) if self.truth == "sin(s)" else 2 * np.exp(-(states**2))


# The paper's rows: a fit that cannot bend enough, the same on another truth, and one that bends too much in the gaps.
CASES = (Case("sin(s)", 6), Case("2 exp(-s\N{SUPERSCRIPT TWO})", 6), Case("2 exp(-s\N{SUPERSCRIPT TWO})", 9))
ESTIMATES = ("maximum", "double")
SHOWN = 3  # the action whose fit is drawn by itself: the states -2 and -1 are missing
NUM_SEEDS: dict[Budget, int] = {"smoke": 20, "short": 200, "full": 2000}


def sampled(shift: int = 0) -> NDArray[np.bool_]:
    """Return which of `STATES` each action is sampled at, bool [m, 13]; `shift` hands the gaps on to other actions."""
    gap = 1 + (np.arange(NUM_ACTIONS)[:, None] + shift) % NUM_ACTIONS  # place of the first of the two that are missing
    place = np.arange(len(STATES))
    return (place != gap) & (place != gap + 1)


def fitted(states: Floats, samples: Floats, degree: int, at: Floats) -> Floats:
    """Return the values at `at` [G] of the polynomial of least squares through `samples` [P] at `states` [P]."""
    return Polynomial.fit(states, samples, degree, domain=[-6, 6])(at)


def estimates(samples: Floats, mask: NDArray[np.bool_], degree: int) -> Floats:
    """Return each action's fitted values on `GRID`, [m, G], from its samples [m, 13] where `mask` [m, 13] is True."""
    return np.array([fitted(STATES[known], own[known], degree, GRID) for own, known in zip(samples, mask, strict=True)])


def double_estimate(first: Floats, second: Floats) -> Floats:
    """Return what `second` says of the action that is best in `first`, both [m, ...]: [...]."""
    return np.take_along_axis(second, first.argmax(axis=0)[None], axis=0)[0]


class Draw(NamedTuple):
    """Samples of all actions, and two sets of fits with samples of their own."""

    samples: Floats  # [m, 13], of the first set
    first: Floats  # [m, G]
    second: Floats  # [m, G]


def draw_fits(case: Case, noise: float, rng: np.random.Generator) -> Draw:
    """Draw noise and fit both sets; the second has its gaps elsewhere, so that its errors are others without noise."""
    truth = case.true_values(STATES.astype(np.float64))
    samples = truth + noise * rng.standard_normal((2, NUM_ACTIONS, len(STATES)))
    first, second = (estimates(samples[k], sampled(shift), case.degree) for k, shift in enumerate((0, 5)))
    return Draw(samples[0], first, second)


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Fit many draws of the noise in each case, and once the exact values."""
    num_draws = NUM_SEEDS[budget] if num_seeds is None else num_seeds
    fits, errors, means = [], [], []
    for case, noise in itertools.product(CASES, NOISES):
        found = []
        for seed in range(num_draws if noise else 1):
            draw = draw_fits(case, noise, np.random.default_rng(seed))
            found.append([draw.first.max(axis=0), double_estimate(draw.first, draw.second)] - case.true_values(GRID))
            if seed == 0:
                fits += [(case.name, noise, "sample", *row) for row in _rows(STATES, draw.samples, sampled())]
                fits += [(case.name, noise, "fit", *row) for row in _rows(GRID, draw.first)]
        for number, estimate in enumerate(ESTIMATES):
            of_seeds = np.array(found)[:, number]  # [draws, G]
            errors += [(case.name, noise, estimate, *row) for row in zip(GRID, of_seeds.mean(axis=0), strict=True)]
            means += [
                (case.name, noise, estimate, seed, error.mean(), (error > 0).mean())
                for seed, error in enumerate(of_seeds)
            ]
    return {
        "fits": pandas.DataFrame(fits, columns=["case", "noise", "kind", "action", "state", "value"]),
        "errors": pandas.DataFrame(errors, columns=["case", "noise", "estimate", "state", "mean_error"]),
        "means": pandas.DataFrame(means, columns=["case", "noise", "estimate", "seed", "bias", "share_above"]),
    }


def _rows(states: np.ndarray, values: Floats, mask: NDArray[np.bool_] | None = None) -> list[tuple]:
    """Return (action, state, value) of values [m, S], those alone where `mask` is True."""
    shown = np.ones(values.shape, dtype=bool) if mask is None else mask
    return [(int(action), states[place], values[action, place]) for action, place in np.argwhere(shown)]


def judge(tables: Tables) -> Verdict:
    """Say in each case whether the maximum lies too high, and whether the double estimate is nearer to the truth."""
    findings = []
    for (case, noise), rows in tables["means"].groupby(["case", "noise"], sort=False):
        bias = by_seed(rows, "estimate")
        above = where(rows, estimate="maximum")["share_above"].mean()
        setting = f"{case}, {'noisy' if noise else 'exact'} samples"
        maximum, double = (bias[name].to_numpy() for name in ESTIMATES)
        if noise == 0:  # nothing is drawn: one number, and no interval to it
            findings.append(
                Finding(
                    bool(maximum[0] > 0 and above > 0.5 and abs(double[0]) < maximum[0]),
                    f"{setting}: the maximum is too high by {maximum[0]:.3f} on average, and at {above:.0%} of the "
                    f"states; the double estimate is off by {double[0]:+.3f}",
                )
            )
            continue
        findings.append(
            positive(f"{setting}: the maximum is too high at {above:.0%} of the states; its mean error", maximum)
        )
        findings.append(
            positive(f"{setting}: the double estimate is off by less; the difference", maximum - abs(double))
        )
    return Verdict(tuple(findings))


def draw(tables: Tables) -> "Figure":
    """Draw a row for each case: one action's fit, all fits and their maximum, and the errors of both estimates."""
    from gridrl.plots.fits import FitRow, fits_figure

    rows = []
    noise = NOISES[-1]
    for case in CASES:
        fits = where(tables["fits"], case=case.name, noise=noise)
        samples = where(fits, kind="sample", action=SHOWN)
        errors = where(tables["errors"], case=case.name, noise=noise)
        rows.append(
            FitRow(
                case.name,
                GRID,
                case.true_values(GRID),
                where(fits, kind="fit").pivot(index="action", columns="state", values="value").to_numpy(),
                SHOWN,
                samples[["state", "value"]].to_numpy(),
                {name: where(errors, estimate=name)["mean_error"].to_numpy() for name in ESTIMATES},
            )
        )
    num_draws = where(tables["means"], noise=noise)["seed"].nunique()
    return fits_figure(rows, noise, num_draws)
