"""The textbook's maximization bias: Sutton & Barto, 2nd ed., example 6.7.

From A, right ends the episode with 0 and left leads to B with 0. B has ten actions, each ending the episode with a
reward drawn from N(-0.1, 1): left is a mistake, worth -0.1. The agents' own rules learn. What is done is chosen here,
epsilon-greedy, since A has two actions where the agents' tables have room for ten. The other eight are never taken, and
no target looks at A's values, so that the idle entries change nothing.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas
from gymnasium.spaces import Discrete
from rich.progress import track

from gridrl.studies.judging import positive, where
from gridrl.studies.study import Budget, Finding, Tables, Verdict
from gridrl_agents.base import Transition
from gridrl_agents.exploration import DRAWS, epsilon_greedy
from gridrl_agents.registry import make
from gridrl_agents.streams import ENVIRONMENT, EXPLORATION, NormalStreams, Streams

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

AGENTS = ("q-learning", "double-q-learning")
EPSILON = 0.1
FLOOR = EPSILON / 2  # the share of left of who knows better and explores
LEFT = 0
A, B, END = range(3)
NUM_EPISODES = 300
LAST = slice(249, NUM_EPISODES)  # the episodes 250 to 300
MEAN_REWARD = -0.1  # of every action in B: the true value of left
NUM_RUNS: dict[Budget, int] = {"smoke": 500, "short": 10_000, "full": 50_000}  # the book's figure has 10 000
GROUP = 500  # runs that learn side by side: a matter of memory and speed alone


class Course(NamedTuple):
    """What runs did and believed, by episode, [R, 300] each."""

    left: np.ndarray  # bool
    q_left: np.ndarray  # Q(A, left) as the episode begins
    max_q_b: np.ndarray  # max_b Q(B, b) as the episode begins


def learn(name: str, seeds: range) -> Course:
    """Let an agent's runs play their episodes, each at its own pace."""
    agent = make(name, Discrete(3), Discrete(10), seeds, learning_rate=0.1, gamma=1.0)
    choice, noise = Streams(seeds, EXPLORATION, 1), NormalStreams(seeds, ENVIRONMENT)
    runs = np.arange(len(seeds))
    both = np.broadcast_to([A, B], (len(seeds), 2))
    course = Course(*(np.zeros((len(seeds), NUM_EPISODES), dtype) for dtype in (bool, float, float)))
    state, episode, never = np.full(len(seeds), A), np.zeros(len(seeds), dtype=np.int64), np.zeros(len(seeds), bool)
    while (episode < NUM_EPISODES).any():
        values = agent.q_values(both)  # [R, 2, 10]
        begins = runs[(state == A) & (episode < NUM_EPISODES)]
        course.q_left[begins, episode[begins]] = values[begins, A, LEFT]
        course.max_q_b[begins, episode[begins]] = values[begins, B].max(axis=1)
        uniform = choice.uniform(DRAWS)
        in_a, in_b = (epsilon_greedy(own, EPSILON, uniform) for own in (values[:, A, :2], values[:, B]))
        action = np.where(state == A, in_a, in_b)
        course.left[begins, episode[begins]] = action[begins] == LEFT
        reward = np.where(state == B, MEAN_REWARD + noise.normal(1)[:, 0], 0.0)
        next_state = np.where((state == A) & (action == LEFT), B, END)
        ended = next_state == END
        agent.observe(Transition(state, action, reward, next_state, ended, never))
        episode += ended
        state = np.where(ended, A, next_state)
    return course


def measure(folder: Path, budget: Budget, num_seeds: int | None, console: "Console") -> Tables:
    """Return means over the runs by episode, and of each run the share of left in the last episodes."""
    num_runs = NUM_RUNS[budget] if num_seeds is None else num_seeds
    groups = [range(first, min(first + GROUP, num_runs)) for first in range(0, num_runs, GROUP)]
    jobs = [(name, group) for name in AGENTS for group in groups]
    courses: dict[str, list[Course]] = {name: [] for name in AGENTS}
    for name, group in track(jobs, "measuring", console=console, transient=True):
        courses[name].append(learn(name, group))
    by_episode, by_run = [], []
    for name in AGENTS:
        course = Course(*map(np.concatenate, zip(*courses[name], strict=True)))
        for metric, values in course._asdict().items():
            error = values.std(axis=0, ddof=1) / np.sqrt(num_runs) if num_runs > 1 else np.full(NUM_EPISODES, np.nan)
            by_episode += [(name, metric, *row) for row in zip(range(1, 301), values.mean(axis=0), error, strict=True)]
        by_run += [(name, run, share) for run, share in enumerate(course.left[:, LAST].mean(axis=1))]
    return {
        "by_episode": pandas.DataFrame(by_episode, columns=["agent", "metric", "episode", "mean", "std_error"]),
        "by_run": pandas.DataFrame(by_run, columns=["agent", "run", "share_left"]),
    }


def judge(tables: Tables) -> Verdict:
    """Say whether Q-learning is misled, and Double Q-learning less so."""
    single, double = (where(tables["by_run"], agent=name)["share_left"].to_numpy() for name in AGENTS)
    shares = where(tables["by_episode"], metric="left").pivot(index="episode", columns="agent")
    worst = {name: int(shares["mean"][name].idxmax()) for name in AGENTS}
    peaks = {name: float(shares["mean"][name][episode]) for name, episode in worst.items()}
    # In so many episodes some share lies three standard errors above a half by chance; four are hardly ever reached.
    errors = {name: 4 * float(shares["std_error"][name][episode]) for name, episode in worst.items()}
    one_run = len(single) == 1
    return Verdict(
        (
            Finding(
                None if one_run else peaks["q-learning"] > 0.5 + errors["q-learning"],
                f"at its worst, in episode {worst['q-learning']}, Q-learning goes left in {peaks['q-learning']:.1%} of "
                "the runs, where chance is half",
            ),
            Finding(
                None if one_run else peaks["double-q-learning"] < 0.5 + errors["double-q-learning"],
                f"Double Q-learning never goes left in more than {peaks['double-q-learning']:.1%} of the runs",
            ),
            positive("what Q-learning's share of left in episodes 250 to 300 is above 5 %", single - FLOOR),
            positive("what Double Q-learning takes off that share", single - double),
        )
    )


def draw(tables: Tables) -> "Figure":
    """Draw what was done, what was believed of left, and what was believed of B's best action."""
    from gridrl.plots.curves import curves_figure
    from gridrl.plots.lines import Line, LinesPanel, known_line
    from gridrl.plots.looks import agent_look

    def panel(title: str, ylabel: str, metric: str, known: tuple[str, float]) -> LinesPanel:
        lines = []
        for name in AGENTS:
            own = where(tables["by_episode"], metric=metric, agent=name)
            centre, margin = own["mean"].to_numpy(), 1.96 * own["std_error"].to_numpy()
            lines.append(Line(name, own["episode"], centre, agent_look(name), (centre - margin, centre + margin)))
        lines.append(known_line(known[0], (1, NUM_EPISODES), (known[1],) * 2))
        return LinesPanel(title, "episode", ylabel, lines)

    return curves_figure(
        [
            panel("Going left", "share of runs", "left", ("who knows better, exploring: 5 %", FLOOR)),
            panel(
                "Q(A, left)", "what left is worth, it believes", "q_left", ("the truth: \N{MINUS SIGN}0.1", MEAN_REWARD)
            ),
            panel("max Q(B)", "what B is worth, it believes", "max_q_b", ("the truth: \N{MINUS SIGN}0.1", MEAN_REWARD)),
        ],
        rng=np.random.default_rng(0),
        title="Maximization bias: the lure of the luckiest of ten estimates",
        note=HOW_TO_READ.format(num_runs=tables["by_run"]["run"].nunique()),
    )


HOW_TO_READ = (
    "How to read: left leads to B, whose ten actions all lose 0.1 on average; right gives 0. Above the dotted line in "
    "the first panel, runs are lured left; above it in the others, they believe in too much. Lines are means over "
    "{num_runs} runs, bands 1.96 standard errors to each side (thinner than the lines where there are many runs)."
)
