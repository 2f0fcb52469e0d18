"""`gridrl solve`: what it prints and writes, and what it answers to mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from gridrl.commands.solve import main
from gridrl.maps.figures import solution_map
from gridrl.truth.solution import solve
from gridrl.truth.solution_folder import level_named, new_folder
from gridrl_envs.dynamics import Dynamics
from gridrl_envs.gridworld import GridworldEnv
from gridrl_envs.level import Level, LevelError
from gridrl_envs.observations import StateIndex


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


def test_what_is_printed_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dense-small-v0", "--gamma", "0.9"]) == 0
    shown = capsys.readouterr().out
    folder = Path("solutions/dense-small-1")
    assert {path.name for path in folder.iterdir()} == {"level.toml", "plan.txt", "value-map.png", "values.safetensors"}
    solution = solve(Level.load("dense-small"), 0.9)
    for part in (
        "dense-small: 7 coins, 3 poisons, 20480 states, gamma 0.9",
        f"{solution.start_value():.6g}",
        "V* is without the step limit; episodes are played within it (max_steps = 100)",
        f"{solution.num_sweeps} sweeps",
        "gridrl train q-learning --level solutions/dense-small-1/level.toml --gamma 0.9",
        "gridrl bias",
    ):
        assert part in shown
    assert "slip" not in shown
    assert "noise" not in shown
    assert main(["dense-small", "--gamma", "0.9"]) == 0, "the next free folder"
    assert Path("solutions/dense-small-2").is_dir()

    arrays = load_file(folder / "values.safetensors")
    with safe_open(folder / "values.safetensors", framework="numpy") as file:
        assert file.metadata() == {"level": "dense-small", "gamma": "0.9"}
    np.testing.assert_array_equal(arrays["values"], solution.values)
    np.testing.assert_array_equal(arrays["q_values"], solution.q_values)

    # The level and the plan are what others need to repeat it.
    level = Level.load(folder / "level.toml")
    assert level == Level.load("dense-small")
    assert arrays["start_states"].tolist() == StateIndex(Dynamics(level)).start_states.tolist()
    env, earned = GridworldEnv(level), 0.0
    env.reset(seed=0)
    for step, action in enumerate((folder / "plan.txt").read_text().strip()):
        _, reward, terminated, _, _ = env.step(int(action))
        earned += 0.9**step * reward
    assert terminated
    assert earned == pytest.approx(arrays["values"][arrays["start_states"][0]], abs=1e-9)


def test_settings_slip_noise_and_several_starts(capsys: pytest.CaptureFixture[str]) -> None:
    table = {"map": "########\n#P $ $P#\n# @   $#\n########", "reward_noise": 3.0, "name": "a/b"}
    Path("mine.toml").write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items()))
    arguments = ["mine.toml", "--coins", "2", "--slip", "0.25", "--max-steps", "4", "--out", "here"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "a/b: 2 coins, 1 poison, 96 states" in shown
    assert "2, 2" in shown, "each start has its row"
    assert "2, 7" in shown
    assert "means of 400 episodes" in shown
    assert "Rewards have noise (deviation 3): V* is that of the mean reward" in shown
    assert "It cuts episodes here" in shown
    assert not Path("here/plan.txt").exists(), "where actions slip there is no plan"
    level = Level.load("here/level.toml")
    assert (level.slip, level.max_steps, len(level.coins)) == (0.25, 4, 2)
    assert new_folder(None, level) == Path("solutions/a-b-1")


def test_what_goes_on_for_ever_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("level.txt").write_text("########\n#P$ @ $#\n########")
    assert main(["level.txt"]) == 0
    assert "goes on, earning nothing" in capsys.readouterr().out


def test_the_map_shows_the_values_and_all_optimal_actions() -> None:
    solution = solve(Level.from_string("#####\n#P  #\n#  $#\n#####"), 0.9)
    axes = solution_map(solution).axes[0]
    drawn = np.ma.getdata(axes.images[0].get_array())
    # Steps to the coin: its neighbours 1, others 2 and 3; with the player on it, the coin counts as collected.
    assert drawn[1, 1:4] == pytest.approx([81, 90, 100])
    assert drawn[2, 1:3] == pytest.approx([90, 100])


def test_names_of_levels() -> None:
    assert level_named("dense-small-v0", None, None, None) == Level.load("dense-small")
    assert level_named("dense", 2, 0.1, 50) == Level.load("dense").keep_coins(2).replace(slip=0.1, max_steps=50)
    with pytest.raises(LevelError, match="did you mean 'dense-small'"):
        level_named("dense-smal-v0", None, None, None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["dense"], r"has 130784533178839203840 states, .* \(coins=4 would fit\)"),
        (["dense", "--coins", "5"], r"has 14868480 states, .* \(coins=4 would fit\)"),
        (["dense-small", "--coins", "8"], "coins must be a whole number from 1 to 7, not 8"),
        (["dense-small", "--gamma", "1.5"], r"gamma must be a number from 0 to 1, not 1\.5"),
        (["dense-small", "--slip", "2"], "slip must be a number from 0"),
        (["nothing.toml"], "nothing.toml"),
        (["sparse", "--max-steps", "50"], "set max_steps higher"),
    ],
)
def test_mistakes_leave_nothing_behind(arguments: list[str], sentence: str) -> None:
    from gridrl.errors import user_errors

    with pytest.raises(user_errors(), match=sentence):
        main(arguments)
    assert not list(Path().iterdir())


def test_a_folder_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from gridrl.errors import UserError

    Path("used").mkdir()
    Path("used/file").touch()
    with pytest.raises(UserError, match="used exists and is not empty"):
        main(["four-rooms", "--out", "used"])
    assert "four-rooms" in capsys.readouterr().out, "what was found is shown all the same"
