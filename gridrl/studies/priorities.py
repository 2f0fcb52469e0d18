"""Twenty TD errors, their priorities, how often each is drawn, and what importance weights make of the errors.

Schaul et al. (2016): proportional priorities p = |td_error| + epsilon and rank-based ones p = 1 / rank, drawn with
P(i) = p_i^alpha / sum_k p_k^alpha (equation 1); weights w_i = (1 / (N P(i)))^beta, over the largest of them (section
3.4). The numbers are those of the agents' own samplers, and the draws theirs.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas
from numpy.typing import NDArray
from rich.progress import track

from gridrl.studies.judging import by_seed, in_words, positive, summary, where, within
from gridrl.studies.study import Budget, Finding, Tables, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

Floats = NDArray[np.float64]

# As a sparse reward gives them: most are small, a few large, and the large ones are good news.
TD_ERRORS = np.array(
    [0.2, -0.3, 0.1, 2.6, -0.15, 0.45, -0.6, 0.25, 1.7, -0.2, 0.4, -1.1, 0.1, 0.9, -0.35, 0.5, -0.25, 1.2, -0.75, 0.3]
)
KINDS = ("proportional", "rank-based")
ALPHAS = (0.2, 0.8)
BETAS = (0.4, 1.0)
BATCH = 32
NUM_SEEDS: dict[Budget, int] = {"smoke": 5, "short": 20, "full": 50}
NUM_BATCHES: dict[Budget, int] = {"smoke": 50, "short": 1_000, "full": 10_000}
FOR_EVER = 10**15  # draws over which beta would rise to 1: it stays where it is


def draw_shares(kind: str, alpha: float, seeds: Sequence[int], num_batches: int) -> tuple[Floats, Floats]:
    """Return the probabilities P [20] of `TD_ERRORS` in an agent's sampler, and the shares that were drawn, [R, 20]."""
    from gridrl_agents.deep.configure import configure_torch
    from gridrl_agents.deep.importance import ImportanceWeights
    from gridrl_agents.deep.proportional import Proportional
    from gridrl_agents.deep.rank_based import RankBased

    configure_torch()
    size, runs = len(TD_ERRORS), len(seeds)
    prioritized = Proportional if kind == "proportional" else RankBased
    sampler = prioritized(seeds, size, BATCH, exponent=alpha, weights=ImportanceWeights(1.0, 0))
    for place in range(size):
        sampler.added(place)
    every = np.tile(np.arange(size), (runs, 1))
    sampler.update(every, np.tile(np.abs(TD_ERRORS), (runs, 1)))
    counts = np.zeros((runs, size))
    run = np.arange(runs)[:, None]
    for _ in range(num_batches):
        drawn, _ = sampler.draw(size)
        np.add.at(counts, (run, drawn), 1)
    state = sampler.state_dict(size)
    mass = np.empty(size)
    mass[state.get("place_in", every)[0]] = state["mass"][0]  # by rank, masses are kept in the order of the ranks
    return mass / mass.sum(), counts / counts.sum(axis=1, keepdims=True)


def importance_weights(probability: Floats, beta: float) -> Floats:
    """Return the weights of transitions drawn with `probability` [N], [N], the largest of them 1."""
    from gridrl_agents.deep.importance import ImportanceWeights

    return ImportanceWeights(beta, FOR_EVER)(probability[None]).numpy()[0].astype(np.float64)


def weighted_mean(share: Floats, weight: Floats, values: Floats) -> Floats:
    """Return the mean of `values` [N] over draws with these shares [..., N], each draw with its weight [N]: [...]."""
    return (share * weight * values).sum(axis=-1) / (share * weight).sum(axis=-1)


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Return each error's probabilities and weights, and the mean of the errors that were drawn, weighted and not."""
    seeds = range(NUM_SEEDS[budget] if num_seeds is None else num_seeds)
    transitions, means = [], []
    for kind, alpha in track(list(itertools.product(KINDS, ALPHAS)), "drawing", console=console, transient=True):
        probability, share = draw_shares(kind, alpha, seeds, NUM_BATCHES[budget])
        for beta in (0.0, *BETAS):
            weight = importance_weights(probability, beta)
            transitions += [
                (kind, alpha, beta, *row)
                for row in zip(TD_ERRORS, probability, share.mean(axis=0), weight, weight * TD_ERRORS, strict=True)
            ]
            means += [
                (kind, alpha, beta, seed, mean)
                for seed, mean in zip(seeds, weighted_mean(share, weight, TD_ERRORS), strict=True)
            ]
    columns = ["td_error", "probability", "share_drawn", "weight", "weighted_error"]
    return {
        "transitions": pandas.DataFrame(transitions, columns=["kind", "alpha", "beta", *columns]),
        "means": pandas.DataFrame(means, columns=["kind", "alpha", "beta", "seed", "mean_error"]),
    }


def judge(tables: Tables) -> Verdict:
    """Say what draws by priority do to the mean error, and what weights leave of that."""
    even, alpha = TD_ERRORS.mean(), ALPHAS[-1]
    findings = []
    for kind in KINDS:
        excess = by_seed(where(tables["means"], kind=kind, alpha=alpha), "beta", "mean_error") - even
        plain, part, whole = (excess[beta].to_numpy() for beta in (0.0, *BETAS))
        left = summary(whole)
        limit = 0.1 * abs(plain.mean())
        findings += [
            positive(f"{kind}, alpha {alpha:g}: the mean error drawn, above the {even:.3f} of even draws,", plain),
            positive(f"{kind}, alpha {alpha:g}: what weights of beta {BETAS[0]:g} take off that", plain - part),
            Finding(
                within(left, limit),
                f"{kind}, alpha {alpha:g}: with weights of beta 1, {in_words(left)} of it is left, and a tenth of it "
                f"is {limit:.2g}",
            ),
        ]
    return Verdict(tuple(findings))


def draw(tables: Tables) -> "Figure":
    """Draw the errors with their priorities, what is drawn, the weighted errors, and what their mean comes to."""
    from gridrl.plots.curves import curves_figure
    from gridrl.plots.lines import LinesPanel, known_line, spare_line
    from gridrl.plots.priorities import BarsPanel, SharesPanel

    order = np.argsort(-np.abs(TD_ERRORS), kind="stable")
    size = np.abs(TD_ERRORS[order])

    def of(kind: str, alpha: float, beta: float, column: str) -> Floats:
        return where(tables["transitions"], kind=kind, alpha=alpha, beta=beta)[column].to_numpy()[order]

    rules = [(f"{kind}, \N{GREEK SMALL LETTER ALPHA} = {alpha:g}", kind, alpha) for kind in KINDS for alpha in ALPHAS]
    weighted = {"TD error": TD_ERRORS[order]} | {
        f"times w, \N{GREEK SMALL LETTER BETA} = {beta:g}": of("proportional", ALPHAS[-1], beta, "weighted_error")
        for beta in BETAS
    }
    lines = []
    for number, (label, kind, alpha) in enumerate(rules):
        means = by_seed(where(tables["means"], kind=kind, alpha=alpha), "beta", "mean_error")
        lines.append(spare_line(number, label, means.columns, summary(means.to_numpy())))
    even = known_line("even draws", (0, 1), (TD_ERRORS.mean(),) * 2)
    return curves_figure(
        [
            BarsPanel(
                "Priorities",
                "size",
                {"|TD error|, proportional": size, "1 / rank, rank-based": 1 / np.arange(1, len(size) + 1)},
            ),
            SharesPanel(
                "How often each is drawn",
                {label: of(kind, alpha, 0.0, "probability") for label, kind, alpha in rules},
                {label: of(kind, alpha, 0.0, "share_drawn") for label, kind, alpha in rules},
            ),
            BarsPanel(f"Weighted errors, \N{GREEK SMALL LETTER ALPHA} = {ALPHAS[-1]:g}", "TD error", weighted),
            LinesPanel(
                "The mean error learned from", "\N{GREEK SMALL LETTER BETA} of the weights", "mean", [*lines, even]
            ),
        ],
        rng=np.random.default_rng(0),
        title="Prioritized replay: what is drawn more often counts for less",
        note=HOW_TO_READ,
    )


HOW_TO_READ = (
    "How to read: twenty TD errors, the largest first. Above left, the two kinds of priority; above right, the "
    "probability that each gives (lines) and the share that the agents' samplers drew (marks): the larger alpha, the "
    "further from even. Below left, each error times its importance weight (proportional): what is drawn often "
    "shrinks most. Below right, the weighted mean of what was drawn (bands: 95 % intervals over n samplers): with "
    "beta 1 it is again that of even draws."
)
