"""The parts of a claim about variants, and how runs decide them: it holds, it does not, or the noise is larger."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gridrl.comparison.improvement import probability_of_improvement
from gridrl.comparison.tables import number
from gridrl.errors import UserError, unknown
from gridrl.intervals import Summary, interquartile_mean, summarise
from gridrl.studies.judging import within
from gridrl.studies.quantities import QUANTITIES
from gridrl.studies.study import Finding

if TYPE_CHECKING:
    import pandas

LAST = 0.75  # the end of a training is what comes after this share of its steps
WHEN = {"end": "in the last quarter of training", "all": "over the whole training"}
KEYS = ("metric", "when", "more", "than", "alike", "within")
BOOTSTRAP_SEED = 0
NUM_RESAMPLES = 2000


class Part(NamedTuple):
    """`first` has more of a quantity than `second`; with a limit: the two differ by no more than that."""

    metric: str
    when: str  # a key of WHEN
    first: str  # variants' labels
    second: str
    limit: float | None = None

    @property
    def text(self) -> str:
        """The part in words."""
        what = f"{QUANTITIES[self.metric].words}, {WHEN[self.when]}"
        if self.limit is None:
            return f"{what}: {self.first!r} has more than {self.second!r}"
        return f"{what}: {self.first!r} and {self.second!r} differ by no more than {self.limit:g}"

    def judge(self, table: "pandas.DataFrame") -> Finding:
        """Decide by the runs in `table` (variant, run, step, metric, value)."""
        ours, theirs = (values_of(table, label, self.metric, self.when) for label in (self.first, self.second))
        both = ", ".join(
            f"{label!r} {in_words(average(values))}" for label, values in ((self.first, ours), (self.second, theirs))
        )
        decide = self._more if self.limit is None else self._alike
        holds, words = decide(ours, theirs)
        return Finding(holds, f"{QUANTITIES[self.metric].words}, {WHEN[self.when]}: {both}; {words}")

    def _more(self, ours: np.ndarray, theirs: np.ndarray) -> tuple[bool | None, str]:
        chance = probability_of_improvement(ours, theirs, np.random.default_rng(BOOTSTRAP_SEED))
        holds = chance.probability > 0.5 if chance.is_sure else None
        sure = "too few runs for a p-value" if np.isnan(chance.p_value) else f"p = {chance.p_value:.3g}"
        return holds, f"a run of the first has more with probability {chance.probability:.2f} ({sure})"

    def _alike(self, ours: np.ndarray, theirs: np.ndarray) -> tuple[bool | None, str]:
        assert self.limit is not None
        found = difference(ours, theirs)
        return within(found, self.limit), f"they differ by {in_words(found)}, where {self.limit:g} is allowed"


def read_part(index: int, entry: Any, labels: Sequence[str]) -> list[Part]:
    """Return what an entry of [[parts]] says, one part for each variant that another is beside.

    `index` counts from 1. Raises `UserError` for an entry that is not complete, or names what there is not.
    """
    where = f"part {index} of the claim"
    if not isinstance(entry, dict):
        raise UserError(f"{where} must be a table, [[parts]], got {entry!r}.")
    for key in entry:
        if key not in KEYS:
            raise unknown(f"entry of {where}", key, KEYS)
    metric, when = entry.get("metric", "return"), entry.get("when", "end")
    if str(metric) not in QUANTITIES:
        raise unknown(f"metric of {where}", str(metric), QUANTITIES)
    if str(when) not in WHEN:
        raise unknown(f"when of {where}", str(when), WHEN)
    firsts, seconds, limit = _sides(where, entry)
    for label in (*firsts, *seconds):
        if label not in labels:
            raise unknown(f"variant in {where}", str(label), labels)
    return [Part(metric, when, first, second, limit) for first in firsts for second in seconds]


def _sides(where: str, entry: Mapping[str, Any]) -> tuple[list[str], list[str], float | None]:
    given = {key for key in ("more", "than", "alike", "within") if key in entry}
    if given == {"more", "than"}:
        than = entry["than"]
        return [entry["more"]], than if isinstance(than, list) else [than], None
    if given == {"alike", "within"}:
        alike, limit = entry["alike"], entry["within"]
        if not isinstance(alike, list) or len(alike) != 2:
            raise UserError(f"{where}: alike must be two variants, got {alike!r}.")
        if not isinstance(limit, int | float) or not limit > 0:
            raise UserError(f"{where}: within must be a number above 0, got {limit!r}.")
        return alike[:1], alike[1:], float(limit)
    raise UserError(
        f"{where} needs more and than, or alike and within; it has {', '.join(sorted(given)) or 'neither'}."
    )


def values_of(table: "pandas.DataFrame", label: str, metric: str, when: str) -> np.ndarray:
    """Return what each run of a variant has of a quantity, [R]: the mean over its evaluations at the end, or over all.

    What was before anything was learned, at step 0, is left out.
    """
    rows = table[(table["variant"] == label) & (table["metric"] == metric) & (table["step"] > 0)]
    if when == "end":
        rows = rows[rows["step"] > LAST * rows["step"].max()]
    if rows.empty:
        raise UserError(f"nothing was measured of {metric!r} of {label!r}; run the study again.")
    return rows.groupby("run")["value"].mean().to_numpy()


def average(values: np.ndarray) -> Summary:
    """Return the interquartile mean of runs [R] with its 95 % bootstrap interval; the same values, the same ends."""
    return summarise(values, np.random.default_rng(BOOTSTRAP_SEED), average="iqm")


def difference(ours: np.ndarray, theirs: np.ndarray) -> Summary:
    """Return the difference of two groups' interquartile means, with its interval: each group's runs are drawn anew."""
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = [
        interquartile_mean(values[rng.integers(len(values), size=(len(values), NUM_RESAMPLES))])
        for values in (ours, theirs)
    ]
    centre = interquartile_mean(ours) - interquartile_mean(theirs)
    count = min(len(ours), len(theirs))
    if count == 1:
        return Summary(centre, np.full_like(centre, np.nan), np.full_like(centre, np.nan), 1)
    low, high = np.quantile(drawn[0] - drawn[1], [0.025, 0.975])
    return Summary(centre, low, high, count)


def in_words(found: Summary) -> str:
    """Return an average with its interval and its number of runs."""
    if found.n == 1:
        return f"{number(float(found.centre))} (n=1)"
    return f"{number(float(found.centre))} [{number(float(found.low))}, {number(float(found.high))}] (n={found.n})"
