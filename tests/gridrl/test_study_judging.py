"""Verdicts by hand, and jobs on several cores."""

import os
from functools import partial

import numpy as np
import pandas
import pytest
from rich.console import Console

from gridrl.errors import UserError
from gridrl.studies.judging import by_seed, in_words, positive, rising, summary, where, within
from gridrl.studies.study import Finding, Verdict
from gridrl.studies.workers import do_all

QUIET = Console(quiet=True)


def test_positive_negative_or_not_to_be_told() -> None:
    assert positive("it", [2.0, 3.0, 4.0]).holds is True
    assert positive("it", [-2.0, -3.0, -4.0]).holds is False
    assert positive("it", [-1.0, 1.0, 0.5, -0.4]).holds is None
    assert positive("it", [5.0]).holds is None
    assert positive("it", [2.0, 2.0]).text == "it is 2 (95 % interval 2 to 2, n=2)"
    assert positive("it", [5.0]).text == "it is 5 (one run, so no interval)"


def test_within() -> None:
    found = summary([0.9, 1.0, 1.1])
    assert (found.low, found.high) == pytest.approx((0.9, 1.1))
    assert within(found, 1.2) is True
    assert within(found, 1.05) is None
    assert within(found, 0.5) is False
    assert within(summary([-0.9, -1.0, -1.1]), 0.5) is False
    assert within(summary([1.0]), 2.0) is None
    assert "one run" in in_words(summary([1.0]))


def test_a_rise_is_the_slope_of_each_seeds_line() -> None:
    rows = pandas.DataFrame(
        [(seed, x, 7 + slope * x) for seed, slope in enumerate((2.0, 3.0, 4.0)) for x in (0.0, 1.0, 4.0)],
        columns=["seed", "x", "bias"],
    )
    finding = rising("bias", "step", by_seed(rows, "x"))
    assert finding == Finding(True, "bias: the rise per step is 3 (95 % interval 2 to 4, n=3)")
    assert by_seed(where(rows, seed=1), "x").to_numpy().tolist() == [[7.0, 10.0, 19.0]]
    slopes = [np.polyfit([0, 1, 4], values, 1)[0] for values in by_seed(rows, "x").to_numpy()]
    assert slopes == pytest.approx([2, 3, 4])


@pytest.mark.parametrize(
    ("holds", "outcome"),
    [
        ((True, True), "the claim holds"),
        ((True, None), "the claim is within the noise"),
        ((None, False), "the claim does not hold"),
    ],
)
def test_a_verdict_sums_up(holds: tuple[bool | None, ...], outcome: str) -> None:
    assert Verdict(tuple(Finding(each, "so") for each in holds)).outcome.startswith(outcome)


def test_jobs_keep_their_order_on_any_number_of_cores() -> None:
    jobs = [partial(pow, 2, power) for power in range(6)]
    assert do_all(jobs, QUIET, num_processes=2) == do_all(jobs, QUIET, num_processes=1) == [1, 2, 4, 8, 16, 32]


def test_a_job_that_fails_and_one_that_dies() -> None:
    with pytest.raises(ZeroDivisionError):
        do_all([partial(divmod, 1, 0), partial(divmod, 1, 1)], QUIET, num_processes=2)
    with pytest.raises(UserError, match="ended early"):
        do_all([partial(os._exit, 3), partial(divmod, 1, 1)], QUIET, num_processes=2)
