"""Ours and Stable-Baselines3's DQN do the same work, and the bare products are those of our update."""

from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import dqn
from benchmarks.products import WIDTHS, bare_products, our_update

SMALL = 64  # transitions; the replay is full at once


@pytest.fixture(scope="module")
def model() -> Any:
    pytest.importorskip("stable_baselines3")
    return dqn.their_model(SMALL)


@pytest.fixture(scope="module")
def agent() -> Any:
    return dqn.our_agent(2, capacity=SMALL)


def our_widths(agent: Any) -> list[tuple[int, int]]:
    return list(pairwise(agent._online._part.widths))


def test_same_network(model: Any) -> None:
    layers = [layer for layer in model.q_net.q_net if isinstance(layer, torch.nn.Linear)]
    theirs = [(layer.in_features, layer.out_features) for layer in layers]
    assert our_widths(dqn.our_agent(1, capacity=SMALL, reads_all=True)) == theirs
    rectifiers = [layer for layer in model.q_net.q_net if isinstance(layer, torch.nn.ReLU)]
    assert len(rectifiers) == len(theirs) - 1


def test_ours_leaves_out_inputs_that_are_always_zero_and_nothing_else(agent: Any, model: Any) -> None:
    support = gymnasium.make("dense-v0").unwrapped.observation_support
    assert our_widths(agent)[0] == (np.count_nonzero(support), 128)
    assert agent._encoder.num_inputs == support.size == np.prod(model.observation_space.shape)


def test_same_settings(agent: Any, model: Any) -> None:
    ours = agent._settings
    assert model.batch_size == ours.batch_size == 32
    assert model.gamma == ours.gamma
    assert model.max_grad_norm == ours.max_gradient_norm
    assert model.target_update_interval == ours.target_update_period * ours.learn_period
    assert (model.tau, ours.target_update_rate) == (1.0, 1.0)
    assert model.exploration_schedule(1.0) == model.exploration_schedule(0.0) == agent.epsilon == ours.epsilon_end
    (group,) = model.policy.optimizer.param_groups
    assert isinstance(model.policy.optimizer, torch.optim.Adam)
    assert (ours.optimizer, ours.learning_rate) == ("adam", group["lr"])
    assert (ours.adam_beta1, ours.adam_beta2, ours.adam_epsilon) == (*group["betas"], group["eps"])
    assert model.replay_buffer.buffer_size == model.learning_starts == SMALL
    assert ours.replay_capacity == ours.min_replay_size == SMALL


def test_both_replays_hold_twenty_thousand() -> None:
    assert dqn.our_agent(1)._settings.replay_capacity == dqn.CAPACITY == 20_000  # type: ignore[attr-defined]
    pytest.importorskip("stable_baselines3")
    assert dqn.their_model().replay_buffer.buffer_size == 20_000


def test_ours_makes_one_update_of_each_run_for_every_step() -> None:
    agent: Any = dqn.our_agent(3, capacity=SMALL)
    work = dqn.our_learning(3, agent, warm_up=5)
    assert (agent._replay.size, agent.num_updates) == (SMALL, 5), "before the clock starts"
    steps, updates, before = agent._num_steps, agent.num_updates, agent._online.parameters.clone()
    assert work() == 3 * dqn.PIECE
    assert agent._num_steps - steps == agent.num_updates - updates == dqn.PIECE
    assert (agent._online.parameters != before).any(dim=1).all(), "each run has learned"


def test_theirs_makes_one_update_for_every_step(monkeypatch: pytest.MonkeyPatch, model: Any) -> None:
    monkeypatch.setattr(dqn, "their_model", lambda capacity: model)
    work = dqn.theirs(SMALL, warm_up=5)
    assert (model.replay_buffer.full, model._n_updates) == (True, 5), "before the clock starts"
    steps, updates = model.num_timesteps, model._n_updates
    assert work() == dqn.PIECE
    assert model.num_timesteps - steps == model._n_updates - updates == dqn.PIECE
    assert not isinstance(model.env.envs[0], gymnasium.Wrapper), "no Monitor, as with ours"


@pytest.mark.parametrize("num_runs", [1, 3])
def test_products_are_those_of_an_update(num_runs: int) -> None:
    counts = []
    for once in (our_update(num_runs, warm_up=5, capacity=SMALL), bare_products(num_runs)):
        once()
        with FlopCounterMode(display=False) as counter:
            once()
        counts.append(counter.get_total_flops())
    # Two passes forward, every weight's gradient, and what flows back to all layers but the first; 2 per multiply-add.
    layers = [fan_in * fan_out for fan_in, fan_out in pairwise(WIDTHS)]
    assert counts == [2 * 32 * num_runs * (4 * sum(layers) - layers[0])] * 2
