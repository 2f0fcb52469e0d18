"""What was learned under changing hands is kept as an ordinary run folder, which every command reads."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gridrl import checkpoint
from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.problem import ProblemSettings
from gridrl.run import Run
from gridrl.studio.minds.mind import Mind
from gridrl.training import Training, start
from gridrl.training_settings import TrainSettings
from gridrl_envs.level import Level

MAP = "#######\n#P $  #\n#> @ $#\n#######\n"
PAINTED = ("#######", "#P $ $#", "#> @ $#", "#######")
SMALL_NET = {"hidden_sizes": (16,), "replay_capacity": 60, "min_replay_size": 32, "batch_size": 4}


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProblemSettings:
    monkeypatch.chdir(tmp_path)
    Path("small.txt").write_text(MAP)
    return ProblemSettings(level="small.txt", max_steps=20)


def learned(mind: Mind, num_steps: int) -> Mind:
    for _ in range(num_steps):
        mind.learn()
    return mind


def test_untouched_it_is_the_folder_that_train_makes(problem: ProblemSettings) -> None:
    length = TrainSettings(steps=120, eval_period=50, eval_episodes=2)
    training = start("dqn", problem, length, SMALL_NET, seeds=[0, 1], out=Path("trained"), command="gridrl train")
    training.run()
    mind = learned(Mind("dqn", problem, SMALL_NET, [0, 1], eval_period=50, eval_episodes=2), 120)
    assert mind.keep(Path("kept"), "gridrl train") == Path("kept")
    for name in ("metrics.csv", "config.toml", "level.toml"):
        assert Path("kept", name).read_bytes() == Path("trained", name).read_bytes(), name
    (newest,) = Path("kept/checkpoints").iterdir()
    assert newest.read_bytes() == Path("trained/checkpoints", newest.name).read_bytes()
    assert not Path("kept/touches.csv").exists()
    learned(mind, 30)  # keeping changed nothing of what is learned and measured
    again = learned(Mind("dqn", problem, SMALL_NET, [0, 1], eval_period=50, eval_episodes=2), 150)
    mind.finish_measuring()
    again.finish_measuring()
    assert mind.rows == again.rows


def test_every_command_reads_what_hands_have_changed(
    problem: ProblemSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    mind = learned(Mind("dqn", problem, SMALL_NET, [0, 1], eval_period=50, eval_episodes=2), 60)
    painted_over = mind.moment()
    mind.change_level(mind.level.replace(map=PAINTED, name="painted"))
    mind.change(epsilon=0.3, double=True)
    moments = [painted_over]
    for _ in range(4):
        learned(mind, 20)
        moments.append(mind.moment())
    mind.go_back(moments[2])
    learned(mind, 30)
    assert mind.keep(Path("kept"), "gridrl live dqn", moments) == Path("kept")

    run = Run.load("kept")
    assert run.step == mind.step == 130
    assert run.snapshots == [80, 100, 130]  # 60 had another level, and 120 is on another branch
    assert run.problem.level == mind.level
    assert run.problem.level.map == PAINTED
    assert run.config.agent_settings["double"] is True
    obs = np.broadcast_to(run.problem.gridworld.observe(mind.env.get_states())[:1], (2, 1, 4, 7, 6))
    assert np.array_equal(run.agent.q_values(obs), mind.agent.q_values(obs))
    with run.looking_at(80), mind.looking_at(moments[1]):
        assert np.array_equal(run.agent.q_values(obs), mind.agent.q_values(obs))
    with open("kept/touches.csv", newline="", encoding="utf-8") as file:
        touches = list(csv.reader(file))
    assert touches == [
        ["step", "change"],
        ["60", "row 2, column 6 is a coin (was floor)"],
        ["60", "epsilon_begin 1.0 -> 0.3, epsilon_end 0.05 -> 0.3, double False -> True"],
    ]

    assert main(["evaluate", "kept"]) == 0
    assert main(["map", "kept", "--out", "map.png"]) == 0
    assert main(["map", "kept", "--show", "film", "--out", "film.gif"]) == 0
    assert main(["watch", "kept", "--video", "watch.gif", "--seed", "0"]) == 0
    assert main(["bias", "kept"]) == 0
    assert main(["explain", "kept"]) == 0
    for picture in ("map.png", "film.gif", "watch.gif"):
        with Image.open(picture) as shown:
            assert shown.size[0] > 50
    assert main(["resume", "kept", "--steps", "180"]) == 0
    assert Run.load("kept").step == 180
    out = capsys.readouterr().out
    assert "greedy" in out

    learned(mind, 50)  # the mind learns on as the resumed training did
    resumed = checkpoint.load(Path("kept/checkpoints/step-0000000180.safetensors"))["agent"]
    assert np.array_equal(resumed["online"], mind.agent.state_dict()["online"])


def test_two_kept_runs_are_compared(problem: ProblemSettings, capsys: pytest.CaptureFixture[str]) -> None:
    for agent in ("q-learning", "sarsa"):
        mind = Mind(agent, problem, {}, [0, 1], eval_period=50, eval_episodes=2)
        learned(mind, 60).change_level(mind.level.replace(slip=0.1, name="slippery"))
        learned(mind, 60).keep(Path(agent), f"gridrl live {agent}", [mind.moment()])
    assert main(["compare", "q-learning", "sarsa", "--out", "comparison"]) == 0
    assert "sarsa" in capsys.readouterr().out


def test_what_has_hardly_begun_is_kept_too(problem: ProblemSettings) -> None:
    mind = Mind("q-learning", problem, {}, [0], eval_period=50, eval_episodes=1)
    path = mind.keep(None, "gridrl live")
    assert path == Path("runs/q-learning-dense-v0-1")
    assert Run.load(path).step == 0
    training = Training.resume(path)
    training.folder.extend(40)
    assert Training.resume(path).run()
    with pytest.raises(UserError, match="is not empty"):
        mind.keep(path, "gridrl live")
    big = Level.from_string("##########\n#P      $#\n##########\n", name="corridor")
    mind.change_level(dataclasses.replace(big, max_steps=30))
    learned(mind, 70)
    again = mind.keep(Path("corridor"), "gridrl live")
    assert Run.load(again).problem.level == mind.level
