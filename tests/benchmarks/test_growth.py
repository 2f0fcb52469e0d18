"""Slopes are those of the times, and the points of each line do the work of the size that they say."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import growth_capacity, growth_cells, growth_runs
from benchmarks.__main__ import CONTESTS, measure, report
from benchmarks.contest import Contender, Found
from benchmarks.dqn import PIECE
from benchmarks.growth import Growth, Line, Part, measure_growth, slope, slopes
from benchmarks.growth_figure import LOOKS, growth_figure, spread
from benchmarks.growth_report import growth_markdown
from benchmarks.harness import ONE_THREAD
from gridrl_envs.level import Level

GROWTHS = [contest for contest in CONTESTS if isinstance(contest, Growth)]


def points(growth: Growth) -> list[tuple[int, Contender]]:
    return [point for line in growth.lines for point in zip(line.sizes, line.contenders, strict=True)]


def test_the_slope_of_a_power_is_its_exponent() -> None:
    sizes = (100, 324, 10_000)
    turns = [[3.0 * size**exponent for size in sizes] for exponent in (0.5, -0.25, 2.0)]
    assert slope(sizes, turns) == pytest.approx((0.5, -0.25, 2.0))


def test_the_slope_is_the_least_squares_line() -> None:
    # log2: (0, 0), (1, 0), (2, 3). The means are 1 and 1; sum of dx dy = 1 + 0 + 2, of dx^2 = 2.
    assert slope((1, 2, 4), [[1.0, 1.0, 8.0]]) == pytest.approx((1.5, 1.5, 1.5))


def test_each_part_has_the_slope_of_its_own_sizes() -> None:
    sizes, times = (1, 2, 4, 8, 16, 32), [5.0, 5.0, 5.0, 5.0, 10.0, 20.0]
    parts = (Part("to 8", "0", high=8), Part("from 8", "1", low=8), Part("from 32", "1", low=32))
    flat, linear, nothing = slopes(parts, sizes, [times])
    assert flat["slope"]["median"] == pytest.approx(0, abs=1e-12)
    assert linear["slope"]["median"] == pytest.approx(1)
    assert nothing["slope"] is None


def test_a_time_is_one_over_the_rate_turn_by_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line("a", (10, 20), (Contender("small", "steps", list), Contender("large", "steps", list)))
    found = {"small": Found([4.0, 2.0], 1.5, 0.1), "large": Found([2.0, 2.0], 2.5, 0.1)}
    monkeypatch.setattr("benchmarks.growth.hold", lambda held, turns, seconds: found)
    growth = Growth("g", "", "cells", "a step", (Part("", "1"),), (line,))
    (measured,) = measure_growth(growth, 2, 1.0)["lines"]
    assert measured["seconds"] == [[0.25, 0.5], [0.5, 0.5]]
    assert measured["ready_seconds"] == [1.5, 2.5]
    assert measured["slopes"][0]["slope"] == pytest.approx({"median": 0.5, "low": 0.0, "high": 1.0})


def test_a_line_has_a_contender_for_each_of_growing_sizes() -> None:
    contender = Contender("a", "steps", list)
    for sizes in ((2, 1), (1, 1), (1, 2, 3)):
        with pytest.raises(ValueError, match="growing sizes"):
            Line("a", sizes, (contender, contender))


def test_a_quick_look_takes_the_smallest_of_every_line() -> None:
    for growth in GROWTHS:
        quick = growth.quick()
        assert [line.name for line in quick.lines] == [line.name for line in growth.lines]
        for line, whole in zip(quick.lines, growth.lines, strict=True):
            assert (line.sizes, line.contenders) == (whole.sizes[:2], whole.contenders[:2])


@pytest.mark.parametrize(
    ("runs", "contender"),
    [pytest.param(*point, id=point[1].name) for point in points(growth_runs.GROWTH) if point[0] in (1, 8, 32)],
)
def test_learning_steps_are_of_so_many_runs_and_that_network(
    runs: int, contender: Contender, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    make = growth_runs.our_agent
    monkeypatch.setattr(
        growth_runs, "our_agent", lambda *args, **options: made.append(make(*args, **options)) or made[0]
    )
    monkeypatch.setattr(growth_runs, "CAPACITY", 40)
    monkeypatch.setattr(growth_runs, "WARM_UP", 1)
    monkeypatch.setattr("benchmarks.dqn.PIECE", 2)
    work = contender.build(**contender.settings)
    (agent,) = made
    assert contender.name == f"{'-'.join(map(str, agent._settings.hidden_sizes))}, R = {runs}"
    assert len(agent._online.parameters) == runs
    assert agent._replay.size == 40
    before = agent.num_updates
    assert work() == agent.num_updates - before == 2


def test_points_have_the_sizes_in_their_names() -> None:
    for runs, contender in points(growth_runs.GROWTH):
        assert (contender.settings["num_runs"], contender.name.endswith(f", R = {runs}")) == (runs, True)
    for capacity, contender in points(growth_capacity.GROWTH):
        assert contender.settings["capacity"] == capacity
        num_runs = contender.settings["num_runs"]
        runs_text = f"{num_runs} run{'s' if num_runs > 1 else ''}"
        assert contender.name == f"{contender.settings['kind']}, {runs_text}, {capacity} places"
    for cells, contender in points(growth_cells.GROWTH):
        side = contender.settings["side"]
        assert (side * side, contender.name.endswith(f", {side} x {side}")) == (cells, True)


@pytest.mark.parametrize("num_runs", growth_capacity.WIDTHS)
@pytest.mark.parametrize("kind", growth_capacity.KINDS)
def test_a_replays_step_is_to_add_to_draw_and_to_tell(
    kind: str, num_runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gridrl_agents.deep import make_replay as module

    made: list[Any] = []
    make = module.make_replay
    monkeypatch.setattr(module, "make_replay", lambda *args, **options: made.append(make(*args, **options)) or made[0])
    work = growth_capacity.replay_steps(kind, 1320, num_runs)
    (replay,) = made
    assert replay.size == 1320, "full before the clock starts"
    work()
    calls: list[str] = []
    for name in ("add", "sample", "update_priorities"):
        method = getattr(replay, name)
        monkeypatch.setattr(
            replay,
            name,
            lambda *args, name=name, method=method: calls.append(name) or method(*args),  # type: ignore[misc]
        )
    if kind == "rank-based":
        sort = replay._sampler._sort
        monkeypatch.setattr(replay._sampler, "_sort", lambda size: calls.append("sort") or sort(size))
    num_steps = work()
    # By rank: 1320 / 4 changes, and 33 a step: one for the new transition and 32 for those drawn.
    assert num_steps == (10 if kind == "rank-based" else growth_capacity.PIECE)
    assert [call for call in calls if call != "sort"] == ["add", "sample", "update_priorities"] * num_steps
    assert calls.count("sort") == (kind == "rank-based")
    assert replay.sample().place.shape == (num_runs, 32)


@pytest.mark.parametrize("side", growth_cells.SIDES)
def test_levels_have_the_cells_that_they_say_and_one_in_nine_of_their_floor_is_a_coin(side: int) -> None:
    level = Level.from_string(growth_cells.corridors(side))
    assert (level.rows, level.columns) == (side, side)
    corridors = (side - 1) // 3
    assert len(level.floor) == corridors * 2 * (side - 2) + corridors - 1, "and a door between each two"
    assert len(level.coins) == pytest.approx(len(level.floor) / 9, rel=0.25)
    # `Level` holds that all coins can be reached; a goal at the far end then, too.
    goal = Level.from_string(growth_cells.corridors(side, goal=True))
    assert (len(goal.goals), goal.coins, goal.floor) == (1, (), level.floor)


def test_environments_are_stepped_and_reset_as_often_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    env: Any = growth_cells.environment(19)
    assert env.num_envs == 256
    assert env.single_observation_space.shape[:2] == (19, 19)
    calls: list[str] = []
    step, reset = env.step, env.reset
    monkeypatch.setattr(env, "step", lambda actions: calls.append("step") or step(actions))
    monkeypatch.setattr(env, "reset", lambda: calls.append("reset") or reset())
    monkeypatch.setattr(growth_cells, "environment", lambda side: env)
    assert growth_cells.env_steps(19)() == calls.count("step") == len(calls)
    calls.clear()
    assert growth_cells.env_resets(19)() == calls.count("reset") == len(calls)


def test_dqns_point_learns_on_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    make = growth_runs.our_agent
    monkeypatch.setattr(
        growth_runs, "our_agent", lambda *args, **options: made.append(make(*args, **options)) or made[0]
    )
    monkeypatch.setattr(growth_runs, "CAPACITY", 64)
    monkeypatch.setattr(growth_runs, "WARM_UP", 1)
    assert growth_cells.dqn_steps(19)() == PIECE
    (agent,) = made
    level = Level.from_string(growth_cells.corridors(19))
    # Three planes can show anything on floor: the player, the coins where they lie, and the bare floor.
    assert agent._encoder.num_inputs % (19 * 19) == 0
    assert agent._online._part.widths[0] == 2 * len(level.floor) + len(level.coins)


def test_sweeps_are_those_of_value_iteration() -> None:
    from gridrl_agents.tabular.planning import value_iteration
    from gridrl_envs.model import build_model

    model = build_model(Level.from_string(growth_cells.corridors(10, goal=True), slip=0.2))
    assert growth_cells.sweeps(10)() == value_iteration(model, 0.99).num_sweeps > 10


def test_a_growth_is_held_told_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "1")  # put back after `hold` has set it
    (pictures,) = (line for line in growth_cells.GROWTH.lines if line.name == "picture")
    results = measure([replace(growth_cells.GROWTH, lines=(pictures,)).quick()], turns=2, seconds=0.01)
    report(results, tmp_path)
    (growth,) = json.loads((tmp_path / "results.json").read_text())["growths"]
    (line,) = growth["lines"]
    assert (line["sizes"], np.shape(line["seconds"])) == ([100, 361], (2, 2))
    by_hand = [np.diff(np.log(turn))[0] / np.log(3.61) for turn in line["seconds"]]
    assert line["slopes"][0]["slope"]["median"] == pytest.approx(np.mean(by_hand))
    assert f"{np.mean(by_hand):.2f} (" in (tmp_path / "growth.md").read_text()
    assert (tmp_path / "growth.png").stat().st_size > 0
    assert not (tmp_path / "ratios.png").exists()


def made_up(shared: bool) -> dict[str, Any]:
    """A step takes 4 ms with one or two runs and 8 ms with four, half of that in the second turn."""
    sizes, seconds = [1, 2, 4], [[0.004, 0.004, 0.008], [0.002, 0.002, 0.004]]
    table = slopes((Part("to 2", "0", high=2), Part("from 2", "1", low=2)), sizes, seconds)
    line = {"name": "a line", "sizes": sizes, "seconds": seconds, "slopes": table}
    return {
        "machine": {"processor": "a processor", "usable_cores": 2},
        "options": {"turns": 2, "seconds": 1.0},
        "load": [0.5, 1.5],
        "growths": [{"name": "g", "about": "", "size": "runs", "time": "a step", "shared": shared, "lines": [line]}],
    }


def test_times_are_shown_whole_or_of_one_that_shares_and_slopes_are_of_the_whole() -> None:
    row = "| a line | {} | 0.00 (0.00 to 0.00) | 1.00 (1.00 to 1.00) |"
    assert row.format("3 000 | 3 000 | 6 000") in growth_markdown(made_up(shared=False)["growths"])
    assert row.format("3 000 | 1 500 | 1 500") in growth_markdown(made_up(shared=True)["growths"])


@pytest.mark.parametrize(("shared", "times"), [(False, [0.003, 0.003, 0.006]), (True, [0.003, 0.0015, 0.0015])])
def test_the_figure_shows_the_times_and_the_slopes(shared: bool, times: list[float]) -> None:
    (axes,) = growth_figure(made_up(shared)).axes
    assert list(axes.lines[0].get_xdata()) == [1, 2, 4]
    assert list(axes.lines[0].get_ydata()) == pytest.approx(times)
    assert len(axes.lines) == (1 if shared else 2), "what grows as the size does is drawn where that is no level line"
    texts = [text.get_text() for text in axes.texts]
    assert any("0.00 (0.00 to 0.00) to 2\n  1.00 (1.00 to 1.00) from 2" in text for text in texts)


def test_every_line_has_a_look_of_its_own() -> None:
    assert all(len(growth.lines) <= len(LOOKS) for growth in GROWTHS)
    assert len({look.colour for look in LOOKS}) == len({look.marker for look in LOOKS}) == len(LOOKS)


def test_labels_do_not_overlap_and_stay_where_there_is_room() -> None:
    # Two that want the same place share it evenly; their block pushes the third, and the three move together.
    assert spread([0.5, 0.5, 0.9], [0.1, 0.1, 0.1]) == pytest.approx([0.45, 0.55, 0.9])
    assert spread([0.9, 0.5, 0.5, 0.62], [0.1] * 4) == pytest.approx([0.9, 0.44, 0.54, 0.64])
    wanted, sizes = np.random.default_rng(0).random(9), np.full(9, 0.07)
    places = sorted(spread(wanted.tolist(), sizes.tolist()))
    assert all(above - below > 0.0699 for below, above in pairwise(places))
