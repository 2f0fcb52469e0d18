"""RMSprop of Mnih et al. (2015): by hand, beside a slow twin in double precision, and bit for bit in any company."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete

from gridrl_agents.deep.rmsprop import RMSprop
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make


def test_two_steps_by_hand():
    """decay .5, epsilon .25. Gradient 2: m = 1, v = 2, variance 1, root sqrt(1.25). Then 0: m = .5, v = 1; no move."""
    parameters = torch.zeros(1, 16)
    optimizer = RMSprop(parameters, learning_rate=0.1, decay=0.5, epsilon=0.25)
    optimizer.step(torch.full((1, 16), 2.0))
    np.testing.assert_allclose(parameters, -0.1 * 2 / np.sqrt(1.25), rtol=1e-6)
    before = parameters.clone()
    optimizer.step(torch.zeros(1, 16))
    assert torch.equal(parameters, before)
    np.testing.assert_array_equal(optimizer.state_dict()["mean"], np.full((1, 16), 0.5))
    np.testing.assert_array_equal(optimizer.state_dict()["square"], np.full((1, 16), 1.0))


def test_beside_a_slow_twin():
    rng, parameters = np.random.default_rng(0), torch.zeros(2, 48)
    optimizer = RMSprop(parameters, learning_rate=0.01, decay=0.95, epsilon=1e-5)
    twin, mean, square = np.zeros((3, 2, 48))
    for _ in range(200):
        gradient = rng.normal(0.3, 1.0, size=(2, 48)) * 10.0 ** rng.integers(-3, 2, size=48)
        mean = 0.95 * mean + 0.05 * gradient
        square = 0.95 * square + 0.05 * gradient**2
        twin = twin - 0.01 * gradient / np.sqrt(square - mean**2 + 1e-5)
        optimizer.step(torch.from_numpy(gradient.astype(np.float32)))
    np.testing.assert_allclose(parameters, twin, rtol=1e-4, atol=1e-5)


def test_a_steady_gradient_gives_no_nan():
    """Its variance is zero, and rounding can take it below: 1e4 squared leaves errors far above epsilon."""
    parameters = torch.zeros(1, 16)
    optimizer = RMSprop(parameters, learning_rate=1e-9, decay=0.95, epsilon=1e-8)
    for _ in range(500):
        optimizer.step(torch.full((1, 16), 12345.678))
    assert parameters.isfinite().all()


def test_runs_do_not_depend_on_each_other():
    gradients = np.random.default_rng(0).normal(size=(50, 5, 48)).astype(np.float32)

    def moved(runs):
        parameters = torch.zeros(len(runs), 48)
        optimizer = RMSprop(parameters, learning_rate=0.01, decay=0.95, epsilon=1e-5)
        for gradient in gradients:
            optimizer.step(torch.from_numpy(gradient[runs].copy()))
        return parameters.numpy()

    together = moved([0, 1, 2, 3, 4])
    for run in range(5):
        assert moved([run])[0].tobytes() == together[run].tobytes()


def test_its_settings():
    with pytest.raises(SettingsError, match="unknown optimizer 'rmsprp'; did you mean 'rmsprop'"):
        make("dqn", Discrete(2), Discrete(2), [0], optimizer="rmsprp")
    with pytest.raises(SettingsError, match=r"rmsprop_decay 0\.5 has no effect while optimizer is 'adam'"):
        make("dqn", Discrete(2), Discrete(2), [0], rmsprop_decay=0.5)
    with pytest.raises(SettingsError, match=r"adam_beta1 0\.5 has no effect while optimizer is 'rmsprop'"):
        make("dqn", Discrete(2), Discrete(2), [0], optimizer="rmsprop", adam_beta1=0.5)
    agent = make("dqn", Discrete(2), Discrete(2), [0, 1], optimizer="rmsprop", learning_rate=0.00025)
    state = agent.state_dict()
    assert set(state["optimizer"]) == {"mean", "square"}
    agent.load_state_dict(state)
    with pytest.raises(SettingsError, match="does not fit"):
        make("dqn", Discrete(2), Discrete(2), [0, 1]).load_state_dict(state)
