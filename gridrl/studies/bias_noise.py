"""Overestimation as the noise of rewards, or slip, is turned up: on the chain of equal actions, and on a level."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas

from gridrl.studies.chain import DOUBLE_OF, LEARNING_RATE, NETWORKS, NUM_STATES, TABLES, chain_bias
from gridrl.studies.judging import by_seed, in_words, positive, rising, summary, where, within
from gridrl.studies.level import level_bias
from gridrl.studies.study import Budget, Finding, Tables, Verdict
from gridrl.studies.theory import normal_maximum, stationary_std
from gridrl.studies.workers import do_all

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from gridrl.plots.lines import LinesPanel

NUM_ACTIONS = 4
REWARD_STDS = (0.0, 0.5, 1.0, 2.0)
SHOWN_STD = 1.0  # the chain is drawn state by state at this one

NEAR = 0.05  # of its value: so well is a state without noise to be known, or the runs were too short


class Size(NamedTuple):
    """How long a budget is, in environment steps of each run, and how finely the dials are turned."""

    num_seeds: int
    chain_steps: Mapping[Sequence[str], int]
    level_steps: Mapping[Sequence[str], int]
    reward_noises: Sequence[float]
    slips: Sequence[float]


SIZES: dict[Budget, Size] = {
    "smoke": Size(3, {TABLES: 2_000, NETWORKS: 600}, {TABLES: 2_000, NETWORKS: 300}, (0, 60), (0, 0.6)),
    "short": Size(
        8, {TABLES: 12_000, NETWORKS: 12_000}, {TABLES: 20_000, NETWORKS: 12_000}, (0, 30, 60), (0, 0.3, 0.6)
    ),
    "full": Size(
        30,
        {TABLES: 40_000, NETWORKS: 40_000},
        {TABLES: 100_000, NETWORKS: 40_000},
        (0, 20, 40, 60, 80),
        (0, 0.15, 0.3, 0.45, 0.6),
    ),
}


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Train all four agents on the chain at each standard deviation, and on the level at each turn of both dials."""
    size = SIZES[budget]
    seeds = list(range(size.num_seeds if num_seeds is None else num_seeds))
    chain: list[Callable[[], pandas.DataFrame]] = []
    level: list[Callable[[], pandas.DataFrame]] = []
    turns = [("reward_noise", amount) for amount in size.reward_noises] + [("slip", amount) for amount in size.slips]
    for agents in (NETWORKS, TABLES):  # the longest first, so that none is left alone at the end
        for agent in agents:
            chain.append(partial(chain_bias, agent, NUM_ACTIONS, REWARD_STDS, seeds, size.chain_steps[agents]))
            level += [partial(level_bias, agent, *turn, seeds, size.level_steps[agents]) for turn in turns]
    found = do_all([*chain, *level], console, num_processes=1 if budget == "smoke" else None)
    return {
        "chain": pandas.concat(found[: len(chain)], ignore_index=True),
        "level": pandas.concat(found[len(chain) :], ignore_index=True),
    }


def judge(tables: Tables) -> Verdict:
    """Say whether bias rises with noise and slip, keeps to theorem 1, and is less in the Double forms."""
    chain, level = tables["chain"], tables["level"]
    last_state = where(chain, state=NUM_STATES - 1, reward_std=max(REWARD_STDS))
    dials = (
        ("chain, reward noise", "unit of standard deviation", chain, "reward_std"),
        ("level, reward noise", "unit of standard deviation", where(level, dial="reward_noise"), "amount"),
        ("level, slip", "unit of probability", where(level, dial="slip"), "amount"),
    )
    agents = (*TABLES, *NETWORKS)
    findings = [_control(agent, where(level, agent=agent, amount=0)) for agent in agents]
    for dial, unit, rows, amount in dials:
        for agent, double in DOUBLE_OF.items():
            biases = {name: by_seed(where(rows, agent=name), amount) for name in (agent, double)}
            most = biases[agent].columns.max()
            findings.append(rising(f"{dial}: bias of {agent}", unit, biases[agent]))
            difference = (biases[agent] - biases[double])[most].to_numpy()
            findings.append(positive(f"{dial} {most:g}: what {double} takes off the bias of {agent}", difference))
    for agent in agents:
        own = where(last_state, agent=agent)
        findings.append(
            positive(
                f"chain, last state, reward noise {max(REWARD_STDS):g}: {agent}'s errors have the mean "
                f"{own['mean_error'].mean():.2g}; what its bias is above the least of theorem 1",
                (own["bias"] - own["least_bias"]).to_numpy(),
            )
        )
    return Verdict(tuple(findings))


def _control(agent: str, rows: pandas.DataFrame) -> Finding:
    """Return whether an agent has learned the level where there is no noise: else its errors are not those of noise."""
    bias, true_value = summary(by_seed(rows, "amount")[0]), rows["true_value"].mean()
    learned = within(bias, NEAR * true_value)
    text = f"level, no noise, no slip: {agent} is off by {in_words(bias)}, where states are worth {true_value:.3g}"
    return Finding(learned or None, text if learned else f"{text}: it has not learned them yet")


def draw(tables: Tables) -> "Figure":
    """Draw bias over the reward's noise on the chain, state by state there, and over both dials on the level."""
    from gridrl.plots.curves import curves_figure
    from gridrl.plots.lines import LinesPanel, agent_line, known_line

    chain, level = tables["chain"], tables["level"]

    def over(title: str, xlabel: str, ylabel: str, rows: pandas.DataFrame, amount: str) -> "LinesPanel":
        lines = []
        for agent in (*TABLES, *NETWORKS):
            bias = by_seed(where(rows, agent=agent), amount)
            lines.append(agent_line(agent, bias.columns, summary(bias.to_numpy())))
        if "least_bias" in rows:
            for number, agent in enumerate(DOUBLE_OF):
                least = by_seed(where(rows, agent=agent), amount, "least_bias").mean(axis=0)
                lines.append(known_line(f"least, theorem 1: {agent}", least.index, least, number))
        return LinesPanel(title, xlabel, ylabel, lines, ticks=sorted(rows[amount].unique()))

    shown = where(chain, reward_std=SHOWN_STD).assign(choices=lambda rows: NUM_STATES - rows["state"])
    shown = shown.drop(columns="least_bias")
    by_state = over("State by state", "choices from here to the end", "max Q", shown, "choices")
    choices = np.arange(1, NUM_STATES + 1)
    dose = SHOWN_STD * stationary_std(LEARNING_RATE) * normal_maximum(NUM_ACTIONS)
    doses = known_line("one dose for each choice", choices, dose * choices)
    unit = "max Q \N{MINUS SIGN} V*"
    noise, slip = (where(level, dial=dial) for dial in ("reward_noise", "slip"))
    return curves_figure(
        [
            over("Chain: nothing but noise", "standard deviation of the reward", "max Q", chain, "reward_std"),
            by_state._replace(lines=[*by_state.lines, doses]),
            over("Level: reward noise", "standard deviation of the reward's noise", unit, noise, "amount"),
            over("Level: slip", "probability of slipping", unit, slip, "amount"),
        ],
        rng=np.random.default_rng(0),
        title="Noise is the dial of overestimation",
        note=HOW_TO_READ.format(std=SHOWN_STD),
    )


HOW_TO_READ = (
    "How to read: above 0 is overestimation. Lines are means over n runs (seeds), bands 95 % bootstrap intervals. "
    "Above: a chain of five states where four equal actions earn nothing but noise, so that every true value is 0; "
    "left, the mean over its states; right, at noise {std:g}, from the last state (1) to the first (5): each choice "
    "adds the bias of one maximum (dotted: theory for Q-learning). Below: dense-small with one coin (+100) and one "
    "poison, beside V*, over the states visited."
)
