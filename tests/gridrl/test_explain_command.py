"""`gridrl explain`: a real update of every agent, in words and numbers; and one sentence for each mistake."""

import re
from pathlib import Path

import numpy as np
import pytest

from gridrl.api import train
from gridrl.commands import explain as command
from gridrl.errors import UserError, user_errors
from gridrl.explanations.next_update import explain_next, fresh, resumed
from gridrl.explanations.text import MOST_ROWS, print_explanation
from gridrl.explanations.words import step_in_words
from gridrl.problem import Problem, ProblemSettings
from gridrl.training import Training
from gridrl_agents.base import Transition
from gridrl_agents.explanation import SECTIONS, Explanation, Line, Table, Values, show, term
from gridrl_agents.registry import agent_names, settings_class
from gridrl_envs.dynamics import States

SMALL = {"min_replay_size": 40, "hidden_sizes": (16,), "refit_period": 50, "num_iterations": 3, "epsilon_begin": 0.5}
STEPS = 100


def small_settings(name: str) -> dict:
    known = settings_class(name).__dataclass_fields__
    is_table = "regressor" in known
    return {key: value for key, value in SMALL.items() if key in known and not (is_table and key == "hidden_sizes")}


def state_of(agent) -> dict[str, bytes]:
    """Return all leaves of an agent's state, as bytes."""
    leaves: dict[str, bytes] = {}

    def walk(state, prefix: str) -> None:
        for key, value in state.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}/")
            else:
                leaves[prefix + key] = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()

    walk(agent.state_dict(), "")
    return leaves


def evaluated(working: str) -> float:
    """Return what an equation with numbers filled in comes to."""
    assert re.fullmatch(r"[-+0-9.e/x^() ]+", working), working
    return eval(working.replace("x", "*").replace("^", "**"))


@pytest.mark.parametrize("name", agent_names())
def test_every_agent(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed holds every number, and each equation with numbers filled in gives the number beside it."""
    monkeypatch.setenv("COLUMNS", "200")
    options = [
        f"--{key.replace('_', '-')}={value}" for key, value in small_settings(name).items() if key != "hidden_sizes"
    ]
    if "hidden_sizes" in small_settings(name):
        options += ["--hidden-sizes", "16"]
    assert command.main([name, "--steps", str(STEPS), *options]) == 0
    shown = capsys.readouterr().out
    assert f"Next:\n  gridrl train {name} --env dense-small-v0" in shown

    told = explain_next(fresh(name, ProblemSettings(env="dense-small-v0"), small_settings(name), 0, STEPS)).told
    for number, (title, items) in enumerate(zip(SECTIONS, told.sections, strict=True), start=1):
        assert f"{number}. {title}" in shown
        assert items
        for item in items:
            if isinstance(item, Line):
                assert any(item.symbol in line and show(item.value) in line for line in shown.splitlines()), item
                if item.working:
                    assert item.working in shown
                    # The printed numbers are rounded to four decimals or digits.
                    assert evaluated(item.working) == pytest.approx(item.value, rel=5e-3, abs=5e-4), item
            elif isinstance(item, Values):
                assert any(
                    item.symbol in line and all(show(value) in line for value in item.values)
                    for line in shown.splitlines()
                ), item
            elif isinstance(item, Table):
                assert all(column in shown for column in item.columns)
    for text, source in told.equations:
        assert text in shown
        assert source in shown
    assert told["td_error"] != 0
    assert re.search(r"action (up|down|left|right), (onto|into|slipping)", shown)


@pytest.mark.parametrize("name", ["q-lambda", "rainbow", "drqn"])
def test_the_agent_is_the_one_that_trains(name: str, tmp_path: Path) -> None:
    """It is the agent of `gridrl train` with the same seed and settings, before the update and after it."""
    run = train(name, env="dense-small-v0", steps=STEPS, eval_episodes=1, out=tmp_path / "run", **small_settings(name))
    learning = fresh(name, ProblemSettings(env="dense-small-v0"), small_settings(name), 0, STEPS)
    assert state_of(learning.agent) == state_of(run.agent)

    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = resumed(str(tmp_path / "run"))
    assert again.step == STEPS
    explained, also = explain_next(again), explain_next(learning)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before  # nothing is written
    assert explained.step == also.step > STEPS
    assert {name: explained.told[name] for name in explained.told.names} == {
        name: also.told[name] for name in also.told.names
    }
    run.folder.extend(explained.step)
    gone_on = Training.resume(tmp_path / "run")
    gone_on.run()
    if explained.told["reward"] != 0:  # else a hundred updates were looked at
        assert state_of(again.agent) == state_of(gone_on.agent)


def test_a_run_with_several_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    train("q-learning", env="dense-small-v0", steps=300, eval_episodes=1, seeds=[4, 7], out=folder)
    shown = []
    for arguments in ([], ["--seed", "4"], ["--seed", "7"]):
        assert command.main([str(folder), *arguments]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != shown[2]
    assert "q-learning on dense-small-v0, seed 7: what it learned at step" in shown[2]
    with pytest.raises(UserError, match=r"has no run with seed 5; it has 4, 7\."):
        command.main([str(folder), "--seed", "5"])


def test_a_chosen_item(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["dqn", "--steps", "60", "--min-replay-size", "40", "--item", "5"]) == 0
    assert re.search(r"\n  i +5  the transition told, of 32", capsys.readouterr().out)


def test_an_environment_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["dqn", "--env", "CartPole-v1", "--steps", "60", "--min-replay-size", "40"]) == 0
    shown = capsys.readouterr().out
    assert "action 0" in shown
    assert "From row" not in shown


def test_an_agent_of_yours(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "write-your-own-agent.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "curious_of_explain.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert command.main(["curious_of_explain:Curious", "--steps", "50", "--bonus", "20"]) == 0
    shown = capsys.readouterr().out
    assert "How Curious comes to its target is its own, and not shown here." in shown
    assert "all entries that changed, 1" in shown


GUESS = """
from dataclasses import dataclass
import numpy as np
from gridrl_agents.base import Agent

@dataclass(frozen=True)
class GuessSettings:
    gamma: float = 0.9

class Guess(Agent):
    'Believes the latest reward, everywhere.'
    Settings = GuessSettings
    epsilon = 1.0
    def __init__(self, observation_space, action_space, seeds, settings):
        self.seeds, self.gamma, self.num_updates = tuple(seeds), settings.gamma, 0
        self.generator, self.guess = np.random.default_rng(seeds[0]), np.zeros((1, 4))
    def act(self, obs):
        return self.generator.integers(4, size=1)
    def observe(self, transition):
        self.guess[0, transition.action[0]] = transition.reward[0]
        return {"surprise": np.abs(transition.reward)}
    def q_values(self, obs):
        return np.broadcast_to(self.guess[:, None], (1, np.shape(obs)[1], 4))
    def state_dict(self):
        return {}
    def load_state_dict(self, state):
        pass
"""


def test_an_agent_of_another_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guess_of_explain.py").write_text(GUESS)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert command.main(["guess_of_explain:Guess", "--steps", "20"]) == 0
    shown = capsys.readouterr().out
    assert "How Guess comes to its target and its step is its own, and not shown here." in shown
    assert re.search(r"surprise +100  as the agent reports it", shown)  # an update with a reward is preferred


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dqm"], "dqm is neither an agent nor a run's folder; did you mean 'dqn'?"),
        (["runs/nothing-1"], "runs/nothing-1 is neither an agent nor a run's folder; gridrl agents lists the agents"),
        (["empty"], "empty has no config.toml, so it is no run's folder"),
        (["nobody:Nothing"], "nobody cannot be imported"),
        (["q-learning", "--item", "3"], "QLearning learns from no batch"),
        (["q-learning", "--steps", "-1"], "--steps must be 0 or more, got -1"),
        (["q-learning", "--gamma", "2"], "gamma must be a number from 0 to 1"),
        (["q-learning", "--env", "dense-v"], "unknown environment 'dense-v'; did you mean 'dense-v0'?"),
        (["dqn", "--steps", "60", "--min-replay-size", "40", "--item", "32"], "the item must be from 0 to 31"),
        (["dqn", "--steps", "0"], "nothing was learned in 30 steps after step 0; let the agent learn for longer first"),
    ],
)
def test_mistakes(arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gridrl.explanations.next_update.MOST_STEPS", 30)
    (tmp_path / "empty").mkdir()
    with pytest.raises(user_errors(), match=re.escape(sentence)):
        command.main(arguments)


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train("q-learning", env="dense-small-v0", steps=20, eval_episodes=1, out=folder)
    for path in (folder / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="has no checkpoint yet; let it train further"):
        command.main([str(folder)])


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    assert command.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in agent_names())


# Words. The player begins at row 1, column 3.
LEVEL = """\
#######
#@ P$ #
# G#X #
#######
"""


def words_of(observation: str, action: int, cells: tuple[int, int], **given) -> str | None:
    """Return the sentence of a step from the start's cell or another one to a cell, items as given."""
    level = given.pop("level", LEVEL)
    settings = ProblemSettings(env="dense-v0", level=level, observation=observation, **given.pop("settings", {}))
    problem = Problem(settings)
    world = problem._world
    items = np.ones((2, world.dynamics.num_items), dtype=bool)
    items[1] &= world.dynamics.item_cells != cells[1]
    states = States(np.array(cells), np.array([0, 1]), items)
    obs = world.observe(states)
    ends = (np.asarray(given.get("terminated", False)), np.asarray(given.get("truncated", False)))
    return step_in_words(problem, Transition(obs[0], np.asarray(action), np.asarray(given["reward"]), obs[1], *ends))


@pytest.mark.parametrize("observation", ["state", "planes"])
@pytest.mark.parametrize(
    ("action", "cells", "given", "sentence"),
    [
        (3, (10, 11), {"reward": 100.0}, "action right, onto a coin at row 1, column 4: reward +100."),
        (2, (9, 8), {"reward": -100.0}, "action left, onto poison at row 1, column 1: reward -100."),
        (2, (10, 9), {"reward": 0.0}, "action left, onto a free cell at row 1, column 2: reward +0."),
        (1, (10, 10), {"reward": 0.0}, "action down, into a wall, where it stays: reward +0."),
        (
            1,
            (9, 16),
            {"reward": 50.0, "terminated": True},
            "onto the goal at row 2, column 2: reward +50; the episode ends.",
        ),
        (
            1,
            (11, 18),
            {"reward": -9.5, "terminated": True},
            "onto a pit at row 2, column 4: reward -9.5; the episode ends.",
        ),
        (0, (12, 11), {"reward": 100.0}, "action up, slipping onto a coin at row 1, column 4: reward +100."),
        (3, (11, 12), {"reward": 0.0, "truncated": True}, "reward +0; the step limit cuts the episode."),
    ],
)
def test_words(observation: str, action: int, cells: tuple[int, int], given: dict, sentence: str) -> None:
    shown = words_of(observation, action, cells, **dict(given))
    assert shown is not None
    row, column = divmod(cells[0], 7)
    assert shown.startswith(f"From row {row}, column {column}, ")
    assert shown.endswith(sentence)


def test_words_of_a_patroller() -> None:
    level = "#####\n#P >#\n#  $#\n#####\n"
    shown = words_of("planes", 3, (6, 7), level=level, reward=0.0, terminated=True)
    assert shown is not None
    assert "onto a cell where a patroller catches it at row 1, column 2" in shown


@pytest.mark.parametrize(
    ("action", "cells", "what"),
    [
        (3, (10, 11), "onto a coin"),
        (2, (9, 8), "onto poison"),
        (1, (10, 10), "into a wall"),
        (2, (10, 9), "onto a free cell"),
        (1, (9, 16), "onto the goal"),
        (1, (11, 18), "onto a pit"),
    ],
)
def test_words_of_a_window(action: int, cells: tuple[int, int], what: str) -> None:
    shown = words_of("window", action, cells, reward=1.0)
    assert shown == f"In the middle of its window, action {('up', 'down', 'left', 'right')[action]}, {what}: reward +1."


def test_no_words_for_pictures() -> None:
    assert words_of("pixels", 3, (10, 11), reward=1.0) is None


def test_long_tables_are_cut(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    told = Explanation(["0", "1"])
    told.line(0, "number", "x", 1.0)
    numbers = list(range(100, 140))
    told.table(1, "plain", {"first": numbers}, "by place")
    told.table(
        2,
        "weighed",
        {"second": [number + 100 for number in numbers]},
        "by weight",
        weight=[float(n % 20) for n in numbers],
    )
    print_explanation(told, Console(width=80))
    shown = capsys.readouterr().out
    assert shown.count(f"({MOST_ROWS} of 40 rows are shown)") == 2
    found = [int(number) for number in re.findall(r"\n +(\d{3})\b", shown)]
    assert found[:MOST_ROWS] == [*range(100, 106), *range(134, 140)]
    assert found[MOST_ROWS:] == [*range(214, 220), *range(234, 240)]


@pytest.mark.parametrize(
    ("value", "text", "in_a_sum"),
    [
        (100.0, "100", "100"),
        (-3.25, "-3.25", "(-3.25)"),
        (1 / 3, "0.3333", "0.3333"),
        (-0.0, "0", "0"),
        (0.00123456, "0.001235", "0.001235"),
        (2677.74119, "2677.7412", "2677.7412"),
        (-5e-5, "-5e-05", "(-5e-05)"),
        (7, "7", "7"),
        (float("inf"), "inf", "inf"),
        ("Q1", "Q1", "Q1"),
        (np.float32(0.1), "0.1", "0.1"),
        (True, "yes", "yes"),
        (3e8, "3e+08", "3e+08"),
    ],
)
def test_numbers(value: object, text: str, in_a_sum: str) -> None:
    assert show(value) == text
    assert term(value) == in_a_sum
