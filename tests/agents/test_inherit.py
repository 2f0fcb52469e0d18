"""What agents take over from agents with other settings, and from agents in another world."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Agent, Transition, Translation
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make

ACTIONS = Discrete(3)
NET = {"hidden_sizes": (16,), "replay_capacity": 50, "min_replay_size": 10, "batch_size": 8, "target_update_period": 4}
# A picture of 3 x 2 cells in two planes, of which some entries never change; in the other world a plane comes before
# the second one, and the first cell is new to the network.
HERE = np.array([[[0, 1], [1, 1]], [[1, 1], [1, 0]], [[1, 1], [1, 1]]], dtype=bool)
THERE = np.insert(HERE, 1, True, axis=2) | np.array([[[1, 0, 0]]], dtype=bool)
PLANES = np.array([0, -1, 1])  # of the other world, in this one
ENTRIES = np.where(PLANES >= 0, 2 * np.arange(6)[:, None] + PLANES, -1).reshape(-1)


def unseen(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raise AssertionError("a network has no use for single observations")


def stepped(agent: Agent, num_steps: int, observe: Any, num_states: int, seed: int = 0) -> list[Transition]:
    """Let all runs of an agent learn from transitions drawn at random; return these."""
    rng, runs, steps = np.random.default_rng(seed), agent.num_runs, []
    for _ in range(num_steps):
        state, following = rng.integers(num_states, size=(2, runs))
        terminated = rng.random(runs) < 0.2
        truncated = ~terminated & (rng.random(runs) < 0.2)
        action = rng.integers(ACTIONS.n, size=runs)
        steps.append(
            Transition(observe(state), action, rng.normal(size=runs), observe(following), terminated, truncated)
        )
        agent.observe(steps[-1])
    return steps


def pictures(support: np.ndarray, planes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return ten pictures, zero where there is no support; a plane that is new stays empty, too."""
    drawn = np.random.default_rng(seed).integers(2, size=(10, *HERE.shape)) & HERE
    shown = np.where(planes >= 0, drawn[..., planes], 0)
    return (shown & support).astype(np.uint8)


def network(support: np.ndarray, seeds: tuple[int, ...] = (0, 1), **settings: Any) -> Agent:
    space = Box(0, 1, support.shape, np.uint8)
    return make("dqn", space, ACTIONS, seeds, observation_support=support, **{**NET, **settings})


@pytest.mark.parametrize("name", ["q-learning", "double-q-learning", "dyna-q", "sarsa", "monte-carlo"])
def test_a_table_takes_each_state_where_the_translation_says(name: str) -> None:
    settings = {"learning_rate_power": 0.5, "initial_value": 7.0}
    before = make(name, Discrete(5), ACTIONS, [0, 1], **settings)
    stepped(before, 200, lambda state: state, 5)
    after = make(name, Discrete(7), ACTIONS, [0, 1], **settings)
    entries = np.array([4, -1, 0, 0, 1, 2, -1])
    lost = after.inherit(before, Translation(entries, unseen))
    told = np.broadcast_to(np.arange(7), (2, 7))
    values = after.q_values(told)
    then = before.q_values(np.broadcast_to(np.arange(5), (2, 5)))
    for state, old in enumerate(entries):
        assert np.array_equal(values[:, state], then[:, old] if old >= 0 else np.full((2, 3), 7.0))
    assert after.epsilon == before.epsilon
    assert np.array_equal(after.act(np.array([4, 4])), before.act(np.array([1, 1])))  # the same streams, and values
    assert (lost != []) == (name == "dyna-q")
    stepped(after, 50, lambda state: state, 7)
    assert np.isfinite(after.q_values(told)).all()
    assert not np.array_equal(after.q_values(told), values)


def test_what_nothing_was_learned_of_is_stood_in_for() -> None:
    before, after = (make("q-learning", Discrete(4), ACTIONS, [0, 1], initial_value=2.0) for _ in range(2))
    stepped(before, 100, lambda state: state % 2 * np.array([1, 3]), 4)  # run 0 learns of 0 and 1, run 1 of 0 and 3
    choices = [np.array([2, 2, 3, 0]), np.array([-1, 1, 1, 3]), np.array([3, 3, 2, 1])]
    after.inherit(before, Translation(choices[0], unseen, choices[1:]))
    numbers = np.broadcast_to(np.arange(4), (2, 4))
    then, now = before.q_values(numbers), after.q_values(numbers)
    for run, taken in enumerate([[None, 1, 1, 0], [3, 3, 3, 0]]):
        for state, old in enumerate(taken):
            assert np.array_equal(now[run, state], np.full(3, 2.0) if old is None else then[run, old])


def test_a_growing_table_meets_what_the_other_one_met_as_it_looks_now() -> None:
    def show(number: np.ndarray) -> np.ndarray:
        return np.stack([number, number % 2], axis=-1).astype(np.float32)

    before = make("q-learning", Box(-9, 9, (2,), np.float32), ACTIONS, [0, 1])
    stepped(before, 100, show, 4)
    after = make("q-learning", Box(-9, 9, (1,), np.float32), ACTIONS, [0, 1])

    def shorter(obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # 0 is gone; 1 and 2 look alike; 3 looks in two ways
        which = np.flatnonzero(obs[:, 0] > 0)
        threes = np.flatnonzero(obs[:, 0] == 3)
        looks = np.where(obs[which, :1] < 3, 1.0, obs[which, :1])
        return np.concatenate([which, threes]), np.concatenate([looks, -obs[threes, :1]])

    after.inherit(before, Translation(np.zeros(0, int), shorter))
    asked = np.array([[[1.0], [3.0], [-3.0], [0.0]]] * 2, dtype=np.float32)
    found = after.q_values(asked)
    then = before.q_values(np.broadcast_to(show(np.arange(4)), (2, 4, 2)))
    for run in range(2):
        assert any(np.array_equal(found[run, 0], then[run, old]) for old in (1, 2))  # whichever was met first
        assert np.array_equal(found[run, 1], then[run, 3])
        assert np.array_equal(found[run, 2], then[run, 3])
        assert np.array_equal(found[run, 3], np.zeros(3))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"dueling": True},
        {"hidden_sizes": (16, 32), "dueling": True, "noisy": True},
        {"torso": "conv"},
        {"distribution": "quantile", "num_quantiles": 5, "replay": "rank-based"},
    ],
    ids=lambda settings: "-".join(map(str, settings)) or "plain",
)
def test_weights_stay_with_what_they_read(settings: dict[str, Any]) -> None:
    before, after = network(HERE, **settings), network(THERE, **settings)
    shown, now = pictures(HERE, np.arange(2)), pictures(THERE, PLANES)
    stepped(before, 60, lambda state: shown[state], 10)
    lost = after.inherit(before, Translation(ENTRIES, unseen))
    assert lost[0].startswith("the replay was emptied")
    both = [np.broadcast_to(each, (2, *each.shape)) for each in (now, shown)]
    assert np.allclose(after.q_values(both[0]), before.q_values(both[1]), rtol=1e-5, atol=1e-4)
    new = both[0].copy()
    new[..., 0, 0, 0] = new[..., 1] = 1  # what the old network did not read: it has no weights yet ...
    if "torso" in settings:
        new[..., 0, 0, 0] = both[0][..., 0, 0, 0]  # (but filters read that, as they read each cell)
    assert np.allclose(after.q_values(new), before.q_values(both[1]), rtol=1e-5, atol=1e-4)
    assert (after.num_updates, after.epsilon) == (before.num_updates, before.epsilon)
    stepped(after, 9, lambda state: new[0, state], 10)
    assert after.num_updates == before.num_updates  # ... the replay is not full enough
    stepped(after, 30, lambda state: new[0, state], 10)
    assert not np.allclose(after.q_values(new), after.q_values(both[0]))  # and learns some


def test_in_a_world_that_looks_the_same_a_network_is_the_same_to_the_last_bit() -> None:
    before, after = network(HERE), network(HERE)
    shown = pictures(HERE, np.arange(2))
    stepped(before, 60, lambda state: shown[state], 10)
    after.inherit(before, Translation(np.arange(12), unseen))
    then, now = before.state_dict(), after.state_dict()
    for name in ("online", "target"):
        assert np.array_equal(now[name], then[name])
    assert all(np.array_equal(now["optimizer"][name], then["optimizer"][name]) for name in ("mean", "square", "step"))
    assert now["replay"]["size"] == 0
    assert now["replay"]["sampler"]["streams"]["position"] == then["replay"]["sampler"]["streams"]["position"]


def test_a_network_reads_numbers_by_the_state_they_mean() -> None:
    before = make("dqn", Discrete(5), ACTIONS, [0], **NET)
    stepped(before, 60, lambda state: state, 5)
    after = make("dqn", Discrete(40), ACTIONS, [0], **NET)
    entries = np.full(40, -1)
    entries[[30, 7, 8]] = [0, 4, 4]
    after.inherit(before, Translation(entries, unseen))
    found, then = after.q_values(np.array([[30, 7, 8]])), before.q_values(np.array([[0, 4, 4]]))
    assert np.allclose(found, then, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["dqn", "drqn", "dyna-q"])
def test_another_gamma_reaches_what_is_remembered(name: str) -> None:
    """An agent that changes its gamma remembers just what one remembers that had this gamma all the time."""
    if name == "dyna-q":
        settings: dict[str, Any] = {"planning_steps": 0}
    else:
        settings = {"hidden_sizes": (16,), "min_replay_size": 50, "replay_capacity": 80}
    before, always, after = (
        make(name, Discrete(4), ACTIONS, [0, 1], gamma=gamma, **settings) for gamma in (0.9, 0.4, 0.4)
    )
    for agent in (before, always):
        stepped(agent, 40, lambda state: state, 4)
    assert after.inherit(before) == []
    if name == "dyna-q":
        assert np.array_equal(after.by_state["discount"], always.by_state["discount"])
        assert set(np.unique(always.by_state["discount"])) == {0.0, 0.4}
        return
    for field, kept in always.state_dict()["replay"]["kept"].items():
        assert np.array_equal(after.state_dict()["replay"]["kept"][field], kept), field


def test_from_gamma_0_nothing_tells_what_ends_an_episode() -> None:
    for name, words in (("dqn", "gamma 0"), ("dyna-q", "the model was forgotten")):
        before, after = (make(name, Discrete(4), ACTIONS, [0], gamma=gamma) for gamma in (0.0, 0.5))
        stepped(before, 20, lambda state: state, 4)
        (lost,) = after.inherit(before)
        assert words in lost
        stepped(after, 20, lambda state: state, 4)


def test_settings_that_mean_another_thing_are_refused_by_name() -> None:
    before = network(HERE)
    for settings in ({"reward_scale": 1.0}, {"hidden_sizes": (15,)}, {"dueling": True}, {"replay": "proportional"}):
        (name,) = settings
        with pytest.raises(SettingsError, match=f"{name} cannot change on the way"):
            network(HERE, **settings).inherit(before)
    for settings in ({"double": True}, {"learning_rate": 1e-4}, {"n_step": 3}, {"target_update_period": 1}):
        assert network(HERE, **settings).inherit(before) == []
    categorical = {"distribution": "categorical", "v_min": 0.0}
    with pytest.raises(SettingsError, match="v_min and v_max"):
        network(HERE, **categorical, v_max=2.0).inherit(network(HERE, **categorical, v_max=3.0))
    with pytest.raises(SettingsError, match="begin anew"):
        make("n-step-sarsa", Discrete(3), ACTIONS, [0], n_step=2).inherit(
            make("n-step-sarsa", Discrete(3), ACTIONS, [0], n_step=3)
        )
    with pytest.raises(SettingsError, match="begins anew"):
        make("drqn", Discrete(3), ACTIONS, [0]).inherit(
            make("drqn", Discrete(3), ACTIONS, [0]), Translation(np.arange(3), unseen)
        )


@pytest.mark.parametrize("replay", ["uniform", "proportional", "rank-based"])
def test_memory_tells_what_is_drawn_how_often(replay: str) -> None:
    agent = network(HERE, replay=replay, batch_size=10)
    assert agent.memory(0) is None
    shown = pictures(HERE, np.arange(2))
    steps = stepped(agent, 70, lambda state: shown[state], 10)
    memory = agent.memory(1)
    if replay == "uniform":
        assert memory is None
        return
    assert memory is not None
    ring = [steps[50 + place if place < 20 else place] for place in range(50)]  # 50 are kept, the last 20 came round
    assert np.array_equal(memory.obs, [step.obs[1] for step in ring])
    assert memory.priority.sum() == pytest.approx(1)
    drawn = np.zeros(50)
    replayed: Any = agent
    for _ in range(400):
        drawn += np.bincount(replayed._replay._sampler.draw(50)[0][1], minlength=50)
    again = agent.memory(1)  # drawing may sort the ranks first, from then on nothing changes
    assert again is not None
    margin = 5 * np.sqrt(4000 * again.priority) + 10
    assert (np.abs(drawn - 4000 * again.priority) < margin).all()
    assert again.priority.max() > 1.5 * again.priority.min()
