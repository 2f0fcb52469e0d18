"""Overestimation as there are more actions to choose among: of mere estimates, and of agents on the chain."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas

from gridrl.studies.chain import DOUBLE_OF, LEARNING_RATE, NETWORKS, NUM_STATES, TABLES, chain_bias
from gridrl.studies.judging import by_seed, in_words, positive, rising, summary, where, within
from gridrl.studies.study import Budget, Finding, Tables, Verdict
from gridrl.studies.theory import least_bias, normal_maximum, stationary_std, uniform_maximum
from gridrl.studies.workers import do_all

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from gridrl.plots.lines import LinesPanel

NUM_ACTIONS = (2, 4, 8, 16)
REWARD_STD = 1.0
MANY = tuple(2**power for power in range(1, 11))  # actions of the mere estimates: those of the paper's figure 1
ERRORS = ("normal", "uniform")  # both of variance 1
HALF_WIDTH = 3**0.5  # of the uniform ones
NEAR = 0.05  # of what is known: so near is as good as equal


class Size(NamedTuple):
    """How many runs and estimates a budget is, and how many environment steps of each run."""

    num_seeds: int
    table_steps: int
    network_steps: int
    num_draws: int  # estimates of one seed


SIZES: dict[Budget, Size] = {
    "smoke": Size(3, 2_000, 500, 50),
    "short": Size(8, 20_000, 12_000, 1_000),
    "full": Size(30, 60_000, 40_000, 10_000),
}


def estimate_bias(errors: str, seeds: Sequence[int], num_draws: int) -> pandas.DataFrame:
    """Return what the maximum of m estimates of 0 is on average, a row for each seed and m of `MANY`.

    `maximum` is max_a Q(a), `double` is Q'(argmax_a Q(a)) with a second, independent Q', and `least_bias` what theorem
    1 says that the maximum is at least above the estimates' own mean; means over `num_draws`. The estimates err by
    normal or uniform numbers of variance 1.
    """
    rows = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for count in MANY:
            shape = 2, num_draws, count
            drawn = rng.standard_normal(shape) if errors == "normal" else rng.uniform(-HALF_WIDTH, HALF_WIDTH, shape)
            first, second = drawn
            double = second[np.arange(num_draws), first.argmax(axis=1)]
            rows.append((errors, count, seed, first.max(axis=1).mean(), double.mean(), least_bias(first).mean()))
    return pandas.DataFrame(rows, columns=["errors", "num_actions", "seed", "maximum", "double", "least_bias"])


def known_maximum(errors: str) -> np.ndarray:
    """Return the expected maximum of m estimates with these errors, for each m of `MANY`."""
    if errors == "uniform":
        return uniform_maximum(MANY, HALF_WIDTH)
    return np.array([normal_maximum(count) for count in MANY])


def q_learning_bias(num_actions: int) -> float:
    """Return what Q-learning's bias is to be expected on the chain, as a mean over its states.

    Its errors at a state are normal, and independent with the standard deviation that a constant learning rate keeps of
    its targets' noise; each choice from there to the end adds the bias of one maximum of them. (That the bootstrapped
    targets vary with the rewards' noise and a little more is left out.)
    """
    dose = REWARD_STD * stationary_std(LEARNING_RATE) * normal_maximum(num_actions)
    return dose * (NUM_STATES + 1) / 2


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Draw estimates, and train all four agents on the chain with each number of actions."""
    size = SIZES[budget]
    seeds = list(range(size.num_seeds if num_seeds is None else num_seeds))
    jobs = [
        partial(chain_bias, agent, num_actions, [REWARD_STD], seeds, num_steps)
        for agents, num_steps in ((NETWORKS, size.network_steps), (TABLES, size.table_steps))
        for agent in agents
        for num_actions in NUM_ACTIONS
    ]
    return {
        "estimates": pandas.concat([estimate_bias(errors, seeds, size.num_draws) for errors in ERRORS]),
        "chain": pandas.concat(do_all(jobs, console, num_processes=1 if budget == "smoke" else None)),
    }


def judge(tables: Tables) -> Verdict:
    """Say whether bias rises with the number of actions, agrees with what is known, and is less in the Double forms."""
    findings = []
    for errors in ERRORS:
        rows = where(tables["estimates"], errors=errors)
        off = summary((by_seed(rows, "num_actions", "maximum") - known_maximum(errors)).to_numpy().mean(axis=1))
        findings.append(
            Finding(
                within(off, NEAR),
                f"{errors} errors of variance 1: the maximum of 2 to {MANY[-1]} estimates is off from the "
                f"known mean by {in_words(off)}",
            )
        )
        off = summary(by_seed(rows, "num_actions", "double").to_numpy().mean(axis=1))
        findings.append(Finding(within(off, NEAR), f"{errors} errors: the double estimate is off by {in_words(off)}"))
    chain = tables["chain"]
    for agent, double in DOUBLE_OF.items():
        biases = {name: by_seed(where(chain, agent=name), "num_actions") for name in (agent, double)}
        findings.append(rising(f"chain: bias of {agent}", "action", biases[agent]))
        difference = (biases[agent] - biases[double])[NUM_ACTIONS[-1]].to_numpy()
        findings.append(
            positive(f"chain, {NUM_ACTIONS[-1]} actions: what {double} takes off the bias of {agent}", difference)
        )
    return Verdict(tuple(findings))


def draw(tables: Tables) -> "Figure":
    """Draw the bias of mere estimates, of tables and of networks over the number of actions."""
    from gridrl.plots.curves import curves_figure
    from gridrl.plots.lines import LinesPanel, agent_line, known_line, spare_line

    chain = tables["chain"]

    def agents(title: str, names: Sequence[str], theory: bool) -> "LinesPanel":
        rows = {name: by_seed(where(chain, agent=name), "num_actions") for name in names}
        lines = [agent_line(name, NUM_ACTIONS, summary(bias.to_numpy())) for name, bias in rows.items()]
        if theory:
            lines.append(known_line(f"theory: {names[0]}", NUM_ACTIONS, [*map(q_learning_bias, NUM_ACTIONS)]))
        least = by_seed(where(chain, agent=names[0]), "num_actions", "least_bias").mean(axis=0)
        lines.append(known_line(f"least, theorem 1: {names[0]}", least.index, least, 1))
        return LinesPanel(title, "actions", "max Q", lines, ticks=NUM_ACTIONS, doubling=True)

    estimates = tables["estimates"]
    lines = []
    for number, (errors, kind) in enumerate((("normal", "maximum"), ("uniform", "maximum"), ("normal", "double"))):
        found = summary(by_seed(where(estimates, errors=errors), "num_actions", kind).to_numpy())
        lines.append(spare_line(number, f"{kind}, {errors}", MANY, found))
    lines.append(known_line("theory, normal", MANY, known_maximum("normal"), 0))
    lines.append(known_line("theorem 2, uniform", MANY, known_maximum("uniform"), 1))
    least = by_seed(where(estimates, errors="normal"), "num_actions", "least_bias").mean(axis=0)
    lines.append(known_line("least, theorem 1", MANY, least, 2))
    return curves_figure(
        [
            LinesPanel("Mere estimates of 0", "actions", "max Q", lines, ticks=(2, 8, 32, 128, 1024), doubling=True),
            agents("Tables on the chain", TABLES, True),
            agents("Networks on the chain", NETWORKS, False),
        ],
        rng=np.random.default_rng(0),
        title="The more actions, the luckier the luckiest",
        note=HOW_TO_READ,
    )


HOW_TO_READ = (
    "How to read: every action is worth 0, so that all above 0 is overestimation. Lines are means over n runs "
    "(seeds), bands 95 % bootstrap intervals. Left: estimates that err by 1 (standard deviation), their maximum, and "
    "a double estimate, where one set chooses and another values. Middle and right: agents on a chain of five states "
    "whose rewards are noise of 1, the mean over its states. What theorem 1 says is the least that any errors of that "
    "size could do, which falls with the number of actions; what errors do rises."
)
