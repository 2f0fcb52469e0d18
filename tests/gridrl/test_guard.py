"""Runs that break: one is taken out and told of, and the others learn on as if nothing had happened, bit for bit."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import gridrl
from gridrl import checkpoint
from gridrl.__main__ import main
from gridrl.comparison.measures import compare, load
from gridrl.errors import UserError
from gridrl.interrupt import StopRequest
from gridrl.make_run import make_run_folder
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl.truth.bias import measure
from gridrl_agents.base import Transition
from gridrl_agents.streams import ENVIRONMENT, seed_sequence
from gridrl_agents.tabular.q_learning import QLearning
from gridrl_agents.tabular.settings import RuleSettings

BREAKS = f"""
import gymnasium
import numpy as np

BAD = {[int(seed_sequence(seed, ENVIRONMENT).generate_state(1)[0]) for seed in range(4)]}  # of the environments


class Corridor(gymnasium.Env):
    '''Six places in a row; the last one pays 1 and ends the episode. Breaks at a step of some seeds.'''

    observation_space = gymnasium.spaces.Box(-1, 1, (6,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, seeds=(), step=120, reward=None, shown=None, evaluation=None):
        self.bad = [BAD[seed] for seed in seeds]
        self.step_to_break, self.reward, self.shown, self.evaluation = step, reward, shown, evaluation
        self.breaks, self.steps = False, 0

    def obs(self):
        seen = np.eye(6, dtype=np.float32)[self.place]
        broken = self.breaks and self.steps >= self.step_to_break and self.shown is not None
        return np.full_like(seen, self.shown) if broken else seen

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.breaks, self.steps, self.learns = seed in self.bad, 0, seed in BAD
        self.place, self.age = 0, 0
        return self.obs(), {{}}

    def step(self, action):
        self.steps, self.age = self.steps + 1, self.age + 1
        self.place = max(self.place + 2 * int(action) - 1, 0)
        reward = float(self.place == 5) - 0.01 * self.np_random.random()
        if self.breaks and self.steps >= self.step_to_break and self.reward is not None:
            reward = self.reward
        if not self.learns and self.evaluation is not None:
            reward = self.evaluation
        return self.obs(), reward, self.place == 5, self.age == 20, {{}}


for name, kwargs in {{
    "Whole": {{}},
    "Reward": {{"seeds": (1,), "reward": float("nan")}},
    "Infinite": {{"seeds": (1,), "reward": -float("inf")}},
    "Shown": {{"seeds": (1,), "shown": float("nan")}},
    "First": {{"seeds": (1,), "shown": float("inf"), "step": 0}},
    "Huge": {{"seeds": (1,), "reward": 1e38}},
    "Two": {{"seeds": (1, 2), "reward": float("nan")}},
    "All": {{"seeds": (0, 1, 2), "reward": float("nan")}},
    "Evaluation": {{"evaluation": float("nan")}},
}}.items():
    gymnasium.register(name + "-v0", entry_point=Corridor, kwargs=kwargs, disable_env_checker=True)
"""
SMALL = {"hidden_sizes": (16,), "replay_capacity": 150, "min_replay_size": 40, "target_update_period": 25}
SETTINGS: dict[str, dict[str, Any]] = {
    "dqn": SMALL | {"loss": "squared"},
    "per-dqn": SMALL | {"loss": "squared"},
    "rank-based": SMALL | {"loss": "squared", "replay": "rank-based"},
    "rainbow": SMALL | {"v_min": -5.0, "v_max": 5.0},
    "drqn": SMALL | {"lstm_size": 8, "batch_size": 4, "sequence_length": 5, "loss": "squared"},
    "fitted-q": {"replay_capacity": 150, "refit_period": 50, "num_iterations": 2},
}
AGENTS = {"rank-based": "per-dqn"}
GRID = ProblemSettings(env="dense-small-v0", coins=3, slip=0.2, reward_noise=1.0)


class StopAt(StopRequest):
    """Asks for the end once a training has reached a step."""

    def __init__(self, training: Training, step: int) -> None:
        self.training, self.step = training, step

    def __bool__(self) -> bool:
        return self.training.step >= self.step


@pytest.fixture(autouse=True)
def breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "breaks.py").write_text(BREAKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "users_agents", sys.modules[__name__])
    monkeypatch.chdir(tmp_path)


def begin(path: str, agent: str, env: str, seeds: tuple[int, ...] = (0, 1, 2), steps: int = 200) -> Training:
    settings = TrainSettings(
        seeds=len(seeds), steps=steps, eval_period=50, eval_episodes=2, checkpoint_period=100, snapshot_period=100
    )
    problem = ProblemSettings(env=f"breaks:{env}-v0")
    return start(AGENTS.get(agent, agent), problem, settings, SETTINGS.get(agent, {}), seeds=seeds, out=Path(path))


def rows_of(state: dict[str, Any], run: int, num_runs: int) -> dict[str, np.ndarray]:
    """Return a run's part of the arrays of an agent's state, by their names; a table's index, kept by run, aside."""
    found = {}
    for name, value in state.items():
        if isinstance(value, dict) and name not in ("index", "features"):
            found |= {f"{name}/{inner}": array for inner, array in rows_of(value, run, num_runs).items()}
        elif isinstance(value, np.ndarray):
            found[name] = np.atleast_1d(value[run] if len(value) == num_runs else value[:, run])
    return found


@pytest.mark.parametrize(
    ("agent", "env", "name"),
    [
        *[(agent, "Reward", "reward") for agent in ("dqn", "rainbow", "q-learning", "n-step-sarsa", "drqn")],
        *[(agent, "Reward", "reward") for agent in ("monte-carlo", "dyna-q", "q-lambda", "fitted-q")],
        *[(agent, "Huge", "loss") for agent in ("dqn", "per-dqn", "rank-based", "drqn")],
        *[(agent, "Shown", "observation") for agent in ("dqn", "drqn", "double-q-learning")],
        ("sarsa", "Infinite", "reward"),
        ("per-dqn", "First", "observation"),
    ],
)
def test_the_others_learn_what_they_learn_beside_a_whole_one(agent: str, env: str, name: str) -> None:
    whole, broken = begin("whole", agent, "Whole"), begin("broken", agent, env)
    assert whole.run()
    assert broken.run()
    (failure,) = Run.load("broken").failures
    assert (failure.seed, failure.name) == (1, name)
    one, other = whole.metrics, broken.metrics
    for seed in (0, 2):
        assert one[one["run"] == seed].reset_index(drop=True).equals(other[other["run"] == seed].reset_index(drop=True))
        assert other.loc[other["run"] == seed, "step"].max() == 200
    steps = one["step"].unique()
    assert set(other.loc[other["run"] == 1, "step"]) == {*steps[steps < failure.step], failure.step}
    assert list(other.loc[(other["run"] == 1) & (other["step"] == failure.step), "metric"]) == [f"broke on {name}"]
    for run in (0, 2):
        expected, found = (rows_of(training.agent.state_dict(), run, 3) for training in (whole, broken))
        assert expected.keys() == found.keys()
        for part, array in expected.items():
            both = min(len(array), len(found[part]))  # tables have rows for what any of the runs has met
            assert array[:both].tobytes() == found[part][:both].tobytes(), part
    for part, array in rows_of(broken.agent.state_dict(), 1, 3).items():
        assert np.isfinite(array).all(), f"{part} of the run that broke"


def test_what_it_broke_on_is_kept() -> None:
    training = begin("reward", "dqn", "Reward")
    assert training.run()
    (failure,) = training.failures
    assert failure.step == 120
    assert failure.path == Path("reward/failures/seed-1-step-120.safetensors")
    kept = checkpoint.load(failure.path)
    assert [kept[key] for key in ("seed", "step", "name", "value")] == [1, 120, "reward", "nan"]
    transition = kept["transition"]
    assert np.isnan(transition["reward"])
    moved = transition["next_obs"].argmax() - transition["obs"].argmax()
    assert moved == (1 if transition["action"] else -1) or transition["next_obs"].argmax() == 0

    training = begin("loss", "dqn", "Huge")
    assert training.run()
    (failure,) = training.failures
    kept = checkpoint.load(failure.path)
    batch = kept["batch"]
    assert batch["obs"].shape[0] == batch["reward"].shape[0] == 32
    assert batch["reward"].max() == np.float32(1e36)
    assert kept["transition"]["reward"] == 1e38
    assert not np.isfinite(kept["metrics"]["loss"])
    assert failure.step > 120


@pytest.mark.parametrize(("agent", "env"), [("dqn", "Reward"), ("q-learning", "Reward"), ("per-dqn", "Huge")])
def test_it_stays_out_when_the_run_is_stopped_and_resumed(agent: str, env: str) -> None:
    training = begin("run", agent, env)
    assert not training.run(StopAt(training, 180))
    assert training.failures
    again = Training.resume("run")
    assert again.guard.broken.tolist() == [False, True, False]
    assert again.run()
    table = again.metrics
    assert table.loc[table["run"] == 1, "step"].max() == again.failures[0].step
    assert [table.loc[table["run"] == seed, "step"].max() for seed in (0, 2)] == [200, 200]


class Infinite(QLearning):
    """Q-learning of a user's, that breaks by itself: the error of some runs is infinite at a step."""

    Settings = RuleSettings
    breaking = (1,)
    update = 230

    def observe(self, transition: Transition) -> dict[str, np.ndarray]:
        metrics = super().observe(transition)
        if self.num_updates == self.update:
            metrics["td_error"][list(self.breaking)] = np.inf
        return metrics


def test_stopped_and_resumed_equals_never_stopped() -> None:
    def begin(path: str) -> Training:
        settings = TrainSettings(seeds=3, steps=400, eval_period=50, eval_episodes=2, checkpoint_period=100)
        return start("users_agents:Infinite", GRID, settings, {}, out=Path(path))

    assert begin("unbroken").run()
    training = begin("broken")
    for step in (1, 229, 230, 231, 300):
        assert not training.run(StopAt(training, step))
        training = Training.resume("broken")
    assert training.run()
    assert [(failure.seed, failure.step, failure.name) for failure in training.failures] == [(1, 230, "td_error")]
    names = ["metrics.csv", "checkpoints/step-0000000400.safetensors", "failures/seed-1-step-230.safetensors"]
    for name in names:
        assert Path("broken", name).read_bytes() == Path("unbroken", name).read_bytes(), name


def test_with_the_last_one_the_training_ends() -> None:
    training = begin("run", "dqn", "All")
    assert training.run()
    assert training.step == 120
    table = training.metrics
    assert list(table.loc[table["step"] > 100, "metric"]) == ["broke on reward"] * 3
    assert [failure.seed for failure in training.failures] == [0, 1, 2]
    resumed = Training.resume("run")
    assert resumed.step == 120
    assert resumed.run()
    assert resumed.step == 120
    with pytest.raises(UserError, match="all runs of run broke: seed 0 broke at step 120 on its reward, nan"):
        resumed.final("greedy_return")


def test_an_evaluation_that_is_no_number_breaks_a_run() -> None:
    training = begin("run", "q-learning", "Evaluation")
    assert training.run()
    assert list(training.metrics["metric"]) == ["broke on return"] * 3
    assert np.isnan(checkpoint.load(training.failures[0].path)["evaluation"]["greedy_return"])


def test_the_command_tells_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--hidden-sizes", "16", "--replay-capacity", "150", "--min-replay-size", "40", "--processes", "1"]
    quick = ["--steps", "200", "--eval-period", "50", "--eval-episodes", "2", "--seeds", "3"]
    assert main(["train", "dqn", "--env", "breaks:Reward-v0", *quick, *size, "--out", "run"]) == 1
    told = capsys.readouterr().out
    sentence = (
        "seed 1 broke at step 120 on its reward, nan. What it broke on is in run/failures/seed-1-step-120.safetensors; "
        "look at what the environment pays."
    )
    assert sentence in told
    assert "nan" not in told.replace(sentence, "")
    assert main(["resume", "run", "--steps", "250"]) == 1
    assert sentence in capsys.readouterr().out
    assert main(["resume", "run"]) == 1  # there is nothing left to do
    told = capsys.readouterr().out
    assert "run is complete at step 250" in told
    assert told.count("broke at step") == told.count(sentence) == 1
    assert main(["train", "dqn", "--env", "breaks:All-v0", *quick, *size, "--out", "all"]) == 1
    told = capsys.readouterr().out
    assert told.count("broke at step 120") == 3
    assert main(["resume", "all"]) == 1
    assert capsys.readouterr().out.count("broke at step 120") == 3


def test_groups_in_processes_tell_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    settings = TrainSettings(seeds=3, steps=200, eval_period=50, eval_episodes=2, checkpoint_period=100, processes=2)
    problem = ProblemSettings(env="breaks:Two-v0")
    folder = make_run_folder("q-learning", problem, settings, {}, out=Path("run"))
    assert main(["resume", "run", "--processes", "2"]) == 1
    told = capsys.readouterr().out
    assert len(folder.groups) == 2
    assert "seed 1 broke at step 120" in told
    assert "seed 2 broke at step 120" in told
    assert f"is in {Path('run', 'groups', '1', 'failures', 'seed-2-step-120.safetensors')}" in told


def test_scripts_are_warned() -> None:
    settings = {"env": "breaks:Reward-v0", "steps": 150, "eval_period": 50, "eval_episodes": 2}
    with pytest.warns(UserWarning, match="seed 1 broke at step 120 on its reward, nan"):
        run = gridrl.train("q-learning", seeds=3, out="run", **settings)
    assert np.isnan(run.final("return")).tolist() == [False, True, False]
    assert run.best != 1
    assert run.shown(None) == [0, 2]


SWEEP = """
agent = "q-learning"
seeds = 3
[settings]
steps = 150
eval_period = 50
eval_episodes = 2
[grid]
env = ["breaks:Reward-v0", "breaks:All-v0", "breaks:Whole-v0"]
"""


@pytest.mark.parametrize("engine", ["serial", "processes", "dask"])
def test_a_sweep_keeps_the_shard_and_tells_it(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sweep.toml").write_text(SWEEP)
    for _ in range(2):  # the second time, nothing is trained any more
        assert main(["sweep", "sweep.toml", "--engine", engine, "--processes", "2", "--out", "out"]) == 1
        told = " ".join(capsys.readouterr().out.split())
        assert "Error: env breaks:Reward-v0: seed 1 broke at step 120 on its reward, nan." in told
        assert told.count("broke at step 120") == 4
        assert "without 1 that broke" in told
        assert "all runs broke" in told
        assert len(list(Path("out", "failures").rglob("seed-*.safetensors"))) == 4
        assert all(str(path) in told for path in Path("out", "failures").rglob("seed-*.safetensors"))
    table = pandas.read_csv("out/runs.csv")
    last = table[table["env"] == "breaks:Reward-v0"].groupby("run")["step"].max()
    assert last.tolist() == [150, 120, 150]


def test_those_who_look_at_runs_leave_it_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = TrainSettings(seeds=3, steps=200, eval_period=50, eval_episodes=2, checkpoint_period=100)
    Path("level.txt").write_text("#####\n#P $#\n#####\n")
    problem = ProblemSettings(level="level.txt", max_steps=20)
    monkeypatch.setattr(Infinite, "update", 120)
    for name, broken in (("one", (1,)), ("other", ()), ("none", (0, 1, 2))):
        monkeypatch.setattr(Infinite, "breaking", broken)
        assert start("users_agents:Infinite", problem, settings, {}, out=Path(name)).run()
    entries, notes = load({name: Path(name) for name in ("one", "other", "none")})
    compared = compare(entries, 0.5, np.random.default_rng(0), notes)
    assert [standing.num_runs for standing in compared.standings] == [2, 3]
    assert any(note.startswith("A run of one is left out: seed 1 broke at step 120") for note in compared.notes)
    assert any(note.startswith("none is left out: all runs of none broke: seed 0 broke") for note in compared.notes)
    bias = measure(Run.load("one"), states=["start"])
    assert sorted(bias["run"].unique()) == [0, 2]
    assert main(["evaluate", "one", "--episodes", "2"]) == 0
    assert "Left out: seed 1 broke at step 120" in capsys.readouterr().out
    assert main(["evaluate", "none"]) == 2
    assert "all runs of none broke" in capsys.readouterr().err


STUDY = """
question = "Which?"
claim = "The whole one."
source = "ours"
agent = "q-learning"
show = ["return"]
[settings]
eval_episodes = 2
[variants]
whole = { env = "breaks:Whole-v0" }
part = { env = "breaks:Reward-v0" }
[[parts]]
more = "whole"
than = "part"
[budgets.smoke]
seeds = 3
steps = 150
eval_period = 50
"""


def test_a_study_leaves_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(STUDY)
    command = ["study", "run", "mine.toml", "--budget", "smoke", "--engine", "serial"]
    assert main(command) == 0
    assert "Left out: part: seed 1 broke at step 120 on its reward, nan." in capsys.readouterr().out
    table = pandas.read_csv("studies/mine/curves.csv")
    assert table.groupby("variant")["run"].unique().map(sorted).to_dict() == {"part": [0, 2], "whole": [0, 1, 2]}
    told = "Left out: seed 1 of 'part', which broke at step 120 on its reward, nan.\n"
    page = Path("studies/mine/verdict.md")
    assert page.read_text(encoding="utf-8").count(told) == 1
    page.unlink()
    assert main(["study", "plot", "studies/mine"]) == 0  # it is known without what was trained
    assert capsys.readouterr().out.count(told) == page.read_text(encoding="utf-8").count(told) == 1
    Path("mine.toml").write_text(STUDY.replace("Reward", "All"))
    assert main([*command, "--out", "other"]) == 2
    assert "all runs of part broke, and there is nothing to judge: seed 0 broke" in capsys.readouterr().err
