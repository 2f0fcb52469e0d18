"""Noisy networks: the noise's distribution, where it is, and where it is not."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from scipy import stats

from gridrl_agents.base import Transition
from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.noisy import NoisyNetwork
from gridrl_agents.registry import make

WIDTHS = (5, 20, 3)


def make_noisy(seeds=(0, 1), sigma=0.5, key=0):
    part = Layers(WIDTHS)
    network = NoisyNetwork(len(seeds), part, sigma, seeds, key)
    network.initialise(seeds)
    return network, part


def ones(rows=1):
    inputs = torch.zeros(2, rows, 16)
    inputs[..., :5] = 1.0
    return inputs


def drawn(network, part, count):
    """Return `count` draws of run 0: each layer's noise of weights and of biases, without the padding."""
    kept = [([], []) for _ in WIDTHS[1:]]
    for _ in range(count):
        network.activations(ones())
        for (weights, biases), layer, rows, columns in zip(
            kept, part.views(network._noise), WIDTHS[:-1], WIDTHS[1:], strict=True
        ):
            weights.append(layer.weight[0, :rows, :columns].clone())
            biases.append(layer.bias[0, 0, :columns].clone())
    return [(torch.stack(weights).numpy(), torch.stack(biases).numpy()) for weights, biases in kept]


def test_initial_parameters():
    """mu as a plain network's of the same seed; sigma is .5 / sqrt(fan_in), and zero where there is but padding."""
    from gridrl_agents.deep.network import PlainNetwork

    network, part = make_noisy()
    plain = PlainNetwork(2, part)
    plain.initialise((0, 1))
    mean, scale = network.parameters.chunk(2, dim=1)
    assert torch.equal(mean, plain.parameters)
    for layer, fan_in, fan_out in zip(part.views(scale), WIDTHS[:-1], WIDTHS[1:], strict=True):
        np.testing.assert_allclose(layer.weight[:, :fan_in, :fan_out], 0.5 / fan_in**0.5, rtol=1e-6)
        np.testing.assert_allclose(layer.bias[..., :fan_out], 0.5 / fan_in**0.5, rtol=1e-6)
        assert layer.weight.count_nonzero() == 2 * fan_in * fan_out
        assert layer.bias.count_nonzero() == 2 * fan_out


def test_noise_is_factorised():
    """The matrix is the product of one number per input and the bias's number per output: of rank one."""
    network, part = make_noisy()
    for weights, biases in drawn(network, part, 20):
        for weight, bias in zip(weights, biases, strict=True):
            assert np.linalg.matrix_rank(weight, tol=1e-4) == 1
            np.testing.assert_allclose(weight / bias, (weight[:, :1] / bias[:1]) * np.ones_like(weight), rtol=1e-3)


def test_distribution_of_the_noise():
    """f(x) = sign(x) sqrt(|x|) of a normal x, so that f |f| is N(0, 1); chi-square over 20 even bins, p > 1e-4.

    E f = 0 and Var f = E |x| = sqrt(2 / pi); a weight's noise, a product of two, has variance 2 / pi. With 2000 draws
    of at least 3 numbers the variances have standard errors near 1 %, so that 5 % is ample.
    """
    network, part = make_noisy()
    for weights, biases in drawn(network, part, 2000):
        normal = (biases * np.abs(biases)).ravel()
        counts = np.histogram(normal, stats.norm.ppf(np.linspace(0, 1, 21)))[0]
        assert stats.chisquare(counts).pvalue > 1e-4
        assert biases.var() == pytest.approx(np.sqrt(2 / np.pi), rel=0.05)
        assert weights.var() == pytest.approx(2 / np.pi, rel=0.05)
        assert weights.mean() == pytest.approx(0.0, abs=0.02)
        # One output's number says nothing of another's: correlations of 2000 pairs are within 4 / sqrt(2000).
        correlations = np.corrcoef(biases.T)[np.triu_indices(biases.shape[1], 1)]
        assert np.abs(correlations).max() < 5 / np.sqrt(2000)
        one_after_another = np.corrcoef(biases[:-1, 0], biases[1:, 0])[0, 1]
        assert abs(one_after_another) < 4 / np.sqrt(2000)


def test_online_target_and_runs_have_noise_of_their_own():
    streams = []
    for key in (0, 1):
        network, _ = make_noisy(seeds=(0, 1), key=key)
        for _ in range(200):
            network.activations(ones())
        noise = network._noise.clone()
        streams += [noise[0], noise[1]]
    for i in range(4):
        for j in range(i):
            assert abs(np.corrcoef(streams[i], streams[j])[0, 1]) < 0.3
            assert not torch.equal(streams[i], streams[j])


def test_without_noise_it_is_the_mean():
    network, part = make_noisy()
    quiet = network(ones())
    assert torch.equal(quiet, part.activations(part.views(network.parameters.chunk(2, dim=1)[0]), ones())[-1])
    passes = torch.stack([network.activations(ones())[-1] for _ in range(30)])
    assert torch.equal(network(ones()), quiet)
    assert (passes[:, :, :, :3].std(dim=0) > 0.05).all()  # .5 / sqrt(5) and .5 / sqrt(20) a weight
    assert not passes[..., 3:].any()  # padding stays zero


def test_one_draw_for_a_whole_batch():
    network, _ = make_noisy()
    output = network.activations(ones(rows=7))[-1]
    np.testing.assert_allclose(output, output[:, :1].expand_as(output), atol=1e-6)


def agent_of(**settings):
    return make(
        "noisy-dqn", Box(-1, 1, (3,), np.float32), Discrete(4), [0, 1], batch_size=4, min_replay_size=4, **settings
    )


def test_explores_without_epsilon_and_shows_no_noise():
    agent = agent_of()
    assert agent.epsilon == 0.0
    obs = np.full((2, 3), 0.3, dtype=np.float32)
    actions = np.stack([agent.act(obs) for _ in range(300)])
    assert all(len(np.unique(actions[:, run])) > 1 for run in range(2))
    values = agent.q_values(obs[:, None])
    before = agent.state_dict()["noise"]["online"]
    np.testing.assert_array_equal(agent.q_values(obs[:, None]), values)
    policy = agent.policy(0.0)
    chosen = np.stack([policy.act(obs[:, None])[:, 0] for _ in range(50)])
    np.testing.assert_array_equal(chosen, np.broadcast_to(values[:, 0].argmax(axis=1), (50, 2)))
    assert agent.state_dict()["noise"]["online"] == before


def test_noise_is_drawn_for_each_action_and_each_update():
    """Online: one draw to act, one to learn, one more to choose the next action (Double); target: one to learn."""
    for double in (False, True):
        agent = agent_of(double=double)
        obs = np.zeros((2, 3), dtype=np.float32)
        online, target = agent._online, agent._target
        noises = {id(online): [], id(target): []}
        for network in (online, target):
            draw = type(network)._draw_noise

            def spy(network=network, draw=draw, noises=noises):
                draw(network)
                noises[id(network)].append(network._noise.clone())

            network._draw_noise = spy
        for _ in range(6):
            agent.act(obs)
            agent.observe(Transition(obs, np.zeros(2, int), np.ones(2), obs, np.zeros(2, bool), np.zeros(2, bool)))
        updates = 3  # of the six steps
        assert len(noises[id(target)]) == updates
        assert len(noises[id(online)]) == 6 + updates * (2 if double else 1)
        everything = [noise.numpy().tobytes() for drawn in noises.values() for noise in drawn]
        assert len(set(everything)) == len(everything)


def test_sigma_zero_is_a_plain_network():
    """To the last bit, noise or not: the same initial weights, the same actions, the same updates of mu."""
    settings = {"batch_size": 4, "min_replay_size": 4, "epsilon_begin": 0.5}
    space, rng = Box(-1, 1, (3,), np.float32), np.random.default_rng(0)
    plain = make("dqn", space, Discrete(4), [0], max_gradient_norm=np.inf, **settings)
    quiet = make("dqn", space, Discrete(4), [0], max_gradient_norm=np.inf, noisy=True, noisy_sigma=0.0, **settings)
    for _ in range(4):
        obs, next_obs = rng.uniform(-1, 1, (2, 1, 3)).astype(np.float32)
        np.testing.assert_array_equal(plain.act(obs), quiet.act(obs))
        for agent in (plain, quiet):
            metrics = agent.observe(
                Transition(obs, np.array([1]), np.ones(1), next_obs, np.ones(1) > 0, np.zeros(1) > 0)
            )
    half = plain.state_dict()["online"].shape[1]
    assert metrics
    assert quiet.state_dict()["online"][:, :half].tobytes() == plain.state_dict()["online"].tobytes()
    assert np.count_nonzero(quiet.state_dict()["online"][:, half:])  # and sigma has begun to move
