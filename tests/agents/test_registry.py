"""Names, settings and spaces: what is refused, and in what words."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete

from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import agent_names, describe, make, paper, prefers_state, settings_class
from gridrl_agents.tabular.settings import QLearningSettings

BOX, TWO = Box(0, 1, (3,), np.float32), Discrete(2)


def test_names():
    family = "dqn double-dqn per-dqn dueling-dqn n-step-dqn noisy-dqn c51 qr-dqn rainbow"
    assert set(family.split()) | {"q-learning"} <= set(agent_names())
    assert settings_class("dqn") is DQNSettings
    assert all(issubclass(settings_class(name), DQNSettings) for name in family.split())
    assert settings_class("q-learning") is QLearningSettings
    assert prefers_state("q-learning")
    assert not prefers_state("dqn")
    assert all(describe(name) and any(map(str.isdigit, paper(name))) for name in agent_names())


def test_settings_are_read_without_torch():
    code = (
        "import sys; from gridrl_agents.registry import settings_class; settings_class('dqn')(); "
        "assert not {'torch', 'gymnasium', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0}, r"learning_rate must be a number above 0 and at most 1, not 0; correct it\."),
        ({"learning_rate": 1.5}, r"above 0 and at most 1, not 1\.5"),
        ({"learning_rate": "0.1"}, r"not '0\.1'"),
        ({"gamma": -0.1}, r"gamma must be a number from 0 to 1, not -0\.1"),
        ({"gamma": float("nan")}, r"not nan"),
        ({"epsilon_begin": 2}, r"epsilon_begin must be a number from 0 to 1, not 2"),
        ({"epsilon_end": True}, r"epsilon_end must be a number from 0 to 1, not True"),
        ({"epsilon_decay_steps": 1.5}, r"epsilon_decay_steps must be a whole number of at least 0, not 1\.5"),
        ({"initial_value": float("inf")}, r"initial_value must be a number that is finite, not inf"),
        ({"learning_rte": 0.1}, r"unknown setting of q-learning 'learning_rte'; did you mean 'learning_rate'\?"),
        ({"xyz": 0.1}, r"known are: gamma, epsilon_begin"),
    ],
)
def test_q_learning_settings(settings, message):
    with pytest.raises(SettingsError, match=message):
        make("q-learning", BOX, TWO, [0], **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_sizes": (128, 0)}, r"each of hidden_sizes must be a whole number of at least 1, not 0"),
        ({"hidden_sizes": 128}, r"hidden_sizes must be a list of whole numbers, not 128"),
        ({"batch_size": 0}, r"batch_size must be a whole number of at least 1, not 0"),
        ({"learning_rate": -1}, r"learning_rate must be a number above 0, not -1"),
        ({"adam_beta1": 1}, r"adam_beta1 must be a number from 0 to 0\.999999, not 1"),
        ({"adam_beta2": 1.0}, r"adam_beta2"),
        ({"adam_epsilon": 0}, r"adam_epsilon must be a number above 0, not 0"),
        ({"max_gradient_norm": 0}, r"max_gradient_norm must be a number above 0, or inf, not 0"),
        ({"max_gradient_norm": None}, r"or inf, not None"),
        ({"loss": "hubr"}, r"unknown loss 'hubr'; did you mean 'huber'\?"),
        ({"reward_scale": 0.0}, r"reward_scale must be a number above 0, not 0"),
        ({"gamma": 1.01}, r"gamma must be a number from 0 to 1"),
        ({"min_replay_size": 31}, r"from batch_size \(32\) to replay_capacity \(20000\), not 31; change one"),
        (
            {"replay_capacity": 999},
            r"from batch_size \(32\) to replay_capacity \(999\), not 1000",
        ),
        ({"learn_period": 0}, r"learn_period must be a whole number of at least 1"),
        ({"target_update_period": 0}, r"target_update_period must be a whole number of at least 1"),
        ({"double": 1}, r"double must be true or false, not 1"),
        ({"noisy": True, "noisy_sigma": -1}, r"noisy_sigma must be a number of at least 0, not -1"),
        ({"noisy_sigma": 0.1}, r"noisy_sigma 0\.1 has no effect while noisy is False; .*, or set noisy to True\."),
        ({"distribution": "quantil"}, r"unknown distribution 'quantil'; did you mean 'quantile'\?"),
        ({"num_atoms": 1, "distribution": "categorical"}, r"num_atoms must be a whole number of at least 2, not 1"),
        ({"num_atoms": 9}, r"num_atoms 9 has no effect while distribution is 'mean'; .* to 'categorical'\."),
        ({"v_max": 9.0, "distribution": "quantile"}, r"v_max 9\.0 has no effect while distribution is 'quantile'"),
        ({"v_min": "a", "distribution": "categorical"}, r"v_min must be a number that is finite, not 'a'"),
        ({"num_quantiles": 0, "distribution": "quantile"}, r"num_quantiles must be a whole number of at least 1"),
        ({"quantile_huber_threshold": 2.0}, r"has no effect while distribution is 'mean'; .* to 'quantile'\."),
        ({"loss": "squared", "distribution": "quantile"}, r"loss 'squared' has no effect while distribution is 'q"),
        ({"replay": "prioritized"}, r"unknown replay 'prioritized'"),
        ({"priority_exponent": 0.5}, r"while replay is 'uniform'; .* to 'proportional' or 'rank-based'\."),
        ({"priority_exponent": -0.5, "replay": "rank-based"}, r"priority_exponent must be a number of at least 0"),
        ({"importance_sampling_exponent": 2, "replay": "rank-based"}, r"from 0 to 1, not 2"),
        ({"importance_sampling_steps": 0.5, "replay": "rank-based"}, r"whole number of at least 0, not 0\.5"),
        ({"n_step": 0}, r"n_step must be a whole number of at least 1, not 0"),
        ({"target_update_rate": 0}, r"target_update_rate must be a number above 0 and at most 1, not 0"),
        ({"target_update_rate": 0.005}, r"0\.005 \(Polyak averaging\) needs target_update_period 1, not 500"),
    ],
)
def test_dqn_settings(settings, message):
    with pytest.raises(SettingsError, match=message):
        make("dqn", BOX, TWO, [0], **settings)


def test_polyak_and_hard_copies_are_both_fine():
    DQNSettings(target_update_rate=0.005, target_update_period=1)
    DQNSettings(target_update_rate=1.0, target_update_period=1)
    assert DQNSettings(hidden_sizes=[64]).hidden_sizes == (64,)  # a list, as TOML gives it


@pytest.mark.parametrize("name", ["q-learning", "dqn"])
def test_settings_make_the_round_to_plain_values_and_back(name):
    cls = settings_class(name)
    assert cls(**dataclasses.asdict(cls())) == cls()


def test_unknown_agent():
    with pytest.raises(SettingsError, match=r"unknown agent 'dqm'; did you mean 'dqn'\?"):
        make("dqm", BOX, TWO, [0])


@pytest.mark.parametrize("name", ["q-learning", "dqn"])
def test_spaces_that_do_not_suit(name):
    with pytest.raises(SettingsError, match=r"actions must be a Discrete space, not Box"):
        make(name, BOX, BOX, [0])
    with pytest.raises(SettingsError, match=r"actions must be counted from 0, not from 1"):
        make(name, BOX, Discrete(2, start=1), [0])
    with pytest.raises(SettingsError, match=r"not Dict; wrap .* gymnasium\.wrappers\.FlattenObservation"):
        make(name, Dict({"a": BOX}), TWO, [0])
    with pytest.raises(SettingsError, match=r"one seed for each run"):
        make(name, BOX, TWO, [])
    with pytest.raises(SettingsError, match=r"a seed must be a whole number of at least 0, not -1"):
        make(name, BOX, TWO, [-1])


def test_spaces_of_the_network():
    with pytest.raises(SettingsError, match=r"Box or Discrete, not MultiDiscrete"):
        make("dqn", MultiDiscrete([2, 3]), TWO, [0])
    with pytest.raises(SettingsError, match=r"must have the observation's shape \(3,\), not \(4,\)"):
        make("dqn", BOX, TWO, [0], observation_support=np.ones(4, dtype=bool))
    with pytest.raises(SettingsError, match=r"no entry that the network could read"):
        make("dqn", BOX, TWO, [0], observation_support=np.zeros(3, dtype=bool))


def test_settings_can_be_frozen_only():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DQNSettings().gamma = 0.5


@pytest.mark.parametrize("name", ["q-learning", "dqn"])
def test_numpy_numbers_will_do(name):
    agent = make(name, BOX, TWO, np.arange(2), gamma=np.float64(0.5), epsilon_decay_steps=np.int64(10))
    assert agent.num_runs == 2
    assert agent.gamma == 0.5


@pytest.mark.parametrize("name", ["q-learning", "dqn"])
@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "CartPole-v1"])
def test_any_environment_with_discrete_actions(name, env_id):
    env = gymnasium.make(env_id)
    agent = make(name, env.observation_space, env.action_space, [0, 1])
    obs = np.stack([env.observation_space.sample() for _ in range(2)])
    assert env.action_space.contains(agent.act(obs)[0])
    assert agent.q_values(obs[:, None]).shape == (2, 1, env.action_space.n)


def test_recipes_say_what_they_change():
    """Each choice is in one recipe alone, and in Rainbow with the numbers of Hessel et al. 2018, table 1."""
    changed = {
        name: {
            field.name: field.default
            for field in dataclasses.fields(settings_class(name))
            if field.default != getattr(DQNSettings(), field.name)
        }
        for name in ("double-dqn", "per-dqn", "dueling-dqn", "n-step-dqn", "noisy-dqn", "c51", "qr-dqn", "rainbow")
    }
    quiet = {"epsilon_begin": 0.0, "epsilon_end": 0.0}
    assert changed == {
        "double-dqn": {"double": True},
        "per-dqn": {"replay": "proportional"},
        "dueling-dqn": {"dueling": True},
        "n-step-dqn": {"n_step": 3},
        "noisy-dqn": {"noisy": True, **quiet},
        "c51": {"distribution": "categorical"},
        "qr-dqn": {"distribution": "quantile"},
        "rainbow": {
            "double": True, "dueling": True, "noisy": True, "distribution": "categorical", "replay": "proportional",
            "priority_exponent": 0.5, "n_step": 3, **quiet,
        },
    }  # fmt: skip


def test_a_choice_of_a_recipe_can_be_undone():
    """What the recipe had set for it then stands idle, and is no mistake; what the user sets in vain still is one."""
    agent = make("rainbow", BOX, TWO, [0], replay="uniform", distribution="mean", noisy=False)
    assert agent.num_runs == 1
    with pytest.raises(SettingsError, match=r"num_atoms 9 has no effect while distribution is 'mean'"):
        make("rainbow", BOX, TWO, [0], distribution="mean", num_atoms=9)
    for name in ("rainbow", "c51"):
        settings = settings_class(name)(v_min=-1.0, gamma=0.5)
        assert settings_class(name)(**dataclasses.asdict(settings)) == settings  # as a run's folder keeps it


def test_an_agent_of_the_users_is_built_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users_agents.py").write_text(
        "from gridrl_agents.tabular.q_learning import QLearning\n"
        "from gridrl_agents.tabular.settings import QLearningSettings\n"
        "class Mine(QLearning):\n"
        "    '''Q-learning, my way.'''\n"
        "    Settings = QLearningSettings\n"
        "class Bare(QLearning): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    agent = make("users_agents:Mine", Discrete(3), Discrete(2), [0, 1], learning_rate=0.5)
    assert type(agent).__name__ == "Mine"
    assert describe("users_agents:Mine") == "Q-learning, my way."
    assert prefers_state("users_agents:Mine")
    with pytest.raises(SettingsError, match=r"unknown class of users_agents 'Mien'; did you mean 'Mine'\?"):
        make("users_agents:Mien", Discrete(3), Discrete(2), [0])
    with pytest.raises(SettingsError, match="must have a frozen dataclass `Settings`"):
        make("users_agents:Bare", Discrete(3), Discrete(2), [0])
    with pytest.raises(SettingsError, match="no_such_module cannot be imported"):
        make("no_such_module:Mine", Discrete(3), Discrete(2), [0])
