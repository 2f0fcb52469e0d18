"""Sweeps: shards that are named by what decides their results, done once, the same whoever does them."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas
import pytest
from rich.console import Console

from gridrl import train
from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.make_run import make_config
from gridrl.problem import ProblemSettings
from gridrl.run_config import RunConfig
from gridrl.sweeps.engine import EngineSettings, make_engine
from gridrl.sweeps.results import Results
from gridrl.sweeps.run import run_configs
from gridrl.sweeps.shard import MOST_SEEDS, Shard, cut
from gridrl.sweeps.sweep import Sweep
from gridrl.training_settings import TrainSettings

LEVEL = "#####\n#P $#\n#$ @#\n#####\n"
QUIET = Console(quiet=True)


def a_config(seeds: int = 3, level: str | None = None, steps: int = 200, **settings: object) -> RunConfig:
    problem = ProblemSettings(env="dense-small-v0", coins=None if level else 2, level=level)
    training = TrainSettings(seeds=seeds, steps=steps, eval_period=100, eval_episodes=1, checkpoint_period=60)
    return make_config("q-learning", problem, training, settings)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "results").iterdir()}


def test_a_shard_is_named_by_all_that_decides_its_result_and_by_nothing_else(tmp_path: Path) -> None:
    shard = Shard.of(a_config())
    assert Shard.of(a_config()).key == shard.key
    others = [
        Shard.of(a_config(seeds=4)),
        Shard.of(a_config(steps=300)),
        Shard.of(a_config(gamma=0.5)),
        dataclasses.replace(shard, versions=shard.versions | {"gridrl": "0"}),
    ]
    files = [tmp_path / place / "level.txt" for place in ("here", "there")]
    for file in files:
        file.parent.mkdir()
        file.write_text(LEVEL)
    own, copied = (Shard.of(a_config(level=str(file))) for file in files)
    assert own.key == copied.key  # where the file lay does not matter, what it says does
    files[0].write_text(LEVEL.replace("@", " "))
    changed = Shard.of(a_config(level=str(files[0])))
    assert len({each.key for each in [shard, own, changed, *others]}) == 7


def test_a_shard_travels_as_text(tmp_path: Path) -> None:
    (tmp_path / "level.txt").write_text(LEVEL)
    for config in (a_config(), a_config(level=str(tmp_path / "level.txt"))):
        shard = Shard.of(config)
        assert Shard.from_json(shard.to_json()) == shard
    data = json.loads(shard.to_json())
    data["versions"]["numpy"] = "1.0"
    with pytest.raises(UserError, match=r"has numpy .*, and the shard was made for 1\.0; install the same"):
        Shard.from_json(json.dumps(data))


@pytest.mark.parametrize(("seeds", "sizes"), [(1, [1]), (8, [8]), (9, [4, 5]), (20, [6, 7, 7])])
def test_seeds_are_cut_evenly(seeds: int, sizes: list[int]) -> None:
    assert MOST_SEEDS == 8
    shards = cut(a_config(seeds=seeds))
    assert [len(shard.config.seeds) for shard in shards] == sizes
    assert [seed for shard in shards for seed in shard.config.seeds] == list(range(seeds))


def test_engines_give_the_same_bytes_and_those_of_a_training(tmp_path: Path) -> None:
    configs = [a_config(), a_config(learning_rate=0.5), a_config(seeds=9)]
    for name in ("serial", "processes"):
        engine = make_engine(EngineSettings(engine=name, processes=2 if name == "processes" else None))
        tables = run_configs(configs, ["a", "b", "c"], engine, tmp_path / name, QUIET)
    assert contents(tmp_path / "serial") == contents(tmp_path / "processes")
    assert len(contents(tmp_path / "serial")) == 4
    run = train(
        "q-learning",
        seeds=3,
        out=tmp_path / "run",
        env="dense-small-v0",
        coins=2,
        steps=200,
        eval_period=100,
        eval_episodes=1,
    )
    assert tables[0].equals(run.metrics)
    assert sorted(tables[2]["run"].unique()) == list(range(9))
    assert not any(path.is_dir() for path in (tmp_path / "serial" / "work").iterdir())  # nothing is left lying about


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serial = make_engine(EngineSettings(engine="serial"))
    run_configs([a_config()], ["a"], serial, tmp_path, QUIET)
    done = []
    monkeypatch.setattr("gridrl.sweeps.serial.do_shard", lambda shard, *rest: done.append(shard.config.seeds))
    monkeypatch.setattr(Results, "read", lambda self, shard: pandas.DataFrame())
    run_configs([a_config(), a_config(gamma=0.5)], ["a", "b"], serial, tmp_path, QUIET)
    assert len(done) == 1


DRIVER = """
import sys
from pathlib import Path
from rich.console import Console
from gridrl.sweeps.engine import EngineSettings, make_engine
from gridrl.sweeps.run import run_configs
sys.path.insert(0, {tests!r})
from test_sweeps import a_config
if __name__ == "__main__":
    configs = [a_config(steps=4000), a_config(steps=4000, gamma=.5)]
    run_configs(configs, ["a", "b"], make_engine(EngineSettings(engine={engine!r}, processes={processes})),
                Path({folder!r}), Console(quiet=True))
"""


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_driver_that_is_killed_and_started_again_loses_nothing(tmp_path: Path, engine: str) -> None:
    configs = [a_config(steps=4000), a_config(steps=4000, gamma=0.5)]
    serial = make_engine(EngineSettings(engine="serial"))
    run_configs(configs, ["a", "b"], serial, tmp_path / "unbroken", QUIET)
    text = DRIVER.format(
        tests=str(Path(__file__).parent),
        engine=engine,
        processes=2 if engine == "processes" else None,
        folder=str(tmp_path / "killed"),
    )
    (tmp_path / "driver.py").write_text(text)
    for _ in range(2):
        driver = subprocess.Popen([sys.executable, str(tmp_path / "driver.py")], start_new_session=True)
        before = list((tmp_path / "killed").rglob("step-*.safetensors"))
        deadline = time.monotonic() + 60
        while list((tmp_path / "killed").rglob("step-*.safetensors")) == before and driver.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if engine == "serial":
            driver.kill()
        else:
            os.killpg(driver.pid, signal.SIGKILL)  # the processes at work, too
        driver.wait()
    assert subprocess.run([sys.executable, str(tmp_path / "driver.py")]).returncode == 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "unbroken")


def test_two_at_the_same_shard_give_one_result(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.create()
    shard = Shard.of(a_config())
    results.keep(shard, b"first")
    results.keep(shard, b"second")
    assert results.path(shard).read_bytes() == b"first"


SWEEP = """
agent = "q-learning"
seeds = 2
[settings]
env = "dense-small-v0"
coins = 2
steps = 200
eval_period = 100
eval_episodes = 1
[grid]
learning_rate = [0.1, 0.5]
gamma = [0.9, 0.99]
"""


def test_a_file_is_a_grid_of_settings(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text(SWEEP)
    points = Sweep.read(tmp_path / "sweep.toml").points()
    assert [point.label for point in points] == [
        "learning_rate 0.1, gamma 0.9",
        "learning_rate 0.1, gamma 0.99",
        "learning_rate 0.5, gamma 0.9",
        "learning_rate 0.5, gamma 0.99",
    ]
    config = points[2].config
    assert (config.agent, config.seeds, config.steps) == ("q-learning", [0, 1], 200)
    assert (config.agent_settings["learning_rate"], config.agent_settings["gamma"]) == (0.5, 0.9)
    assert (config.problem.env, config.problem.coins) == ("dense-small-v0", 2)


def test_agents_can_be_in_the_grid(tmp_path: Path) -> None:
    (tmp_path / "sweep.toml").write_text('[grid]\nagent = ["sarsa", "dqn"]')
    assert [point.config.agent for point in Sweep.read(tmp_path / "sweep.toml").points()] == ["sarsa", "dqn"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("agent = ", r"sweep.toml is no TOML"),
        ("seeds = 3", r'names no agent; add a line such as agent = "dqn"'),
        ('agent = "dqn"\nseeds = 0', r"seeds must be how many, or a list .* got 0"),
        ('agent = "dqn"\ngrids = 0', r"'grids'.*did you mean 'grid'"),
        ('agent = "dqn"\n[grid]\ngamma = 0.9', r"grid.gamma must be a list of values, got 0.9; write \[0.9\]"),
        ('agent = "dqm"', r"dqm.*did you mean"),
        ('agent = "dqn"\n[settings]\nlerning_rate = 1', r"lerning_rate.*did you mean"),
        ('agent = "dqn"\n[grid]\ngamma = [0.9, 1.5]', r"at gamma 1.5: gamma must"),
        ('agent = "dqn"\n[settings]\nenv = "dens-v0"', r"dens-v0"),
        ('agent = "dqn"\n[settings]\ntensorboard = true', r"tensorboard is for `gridrl train`.*leave it out"),
        ('agent = "q-learning"\n[settings]\nsteps = 0', r"steps must be 1 or more, got 0"),
    ],
)
def test_mistakes_in_a_file_are_told_before_anything_is_trained(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "sweep.toml").write_text(text)
    with pytest.raises(UserError, match=sentence):
        Sweep.read(tmp_path / "sweep.toml").points()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rates.toml").write_text(SWEEP)
    assert main(["sweep", "rates.toml", "--engine", "serial"]) == 0
    told = capsys.readouterr().out
    assert "4 settings, 2 run(s) each, 200 steps, into sweeps/rates" in told
    assert "learning_rate" in told
    table = pandas.read_csv("sweeps/rates/runs.csv")
    assert list(table.columns) == ["learning_rate", "gamma", "run", "update", "step", "metric", "value"]
    assert len(table.groupby(["learning_rate", "gamma", "run"])) == 8
    for mistake, sentence in (
        (["missing.toml"], "missing.toml cannot be read"),
        (["rates.toml", "--engine", "proceses"], "did you mean 'processes'"),
    ):
        assert main(["sweep", *mistake]) == 2
        assert sentence in capsys.readouterr().err
