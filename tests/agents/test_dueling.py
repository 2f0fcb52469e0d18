"""Dueling and Double: the formulas by hand."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.deep.double import greedy_in_online, greedy_in_target
from gridrl_agents.deep.dueling import Dueling
from gridrl_agents.deep.network import PlainNetwork, by_action
from gridrl_agents.registry import make


def linear_dueling(num_atoms=1):
    """A dueling head on two inputs, no hidden layer, three actions; and its streams' layers."""
    network = PlainNetwork(1, Dueling((2,), 3, num_atoms))
    value, advantage = network.views(network.parameters)
    return network, value[0], advantage[0]


def inputs(rows):
    padded = torch.zeros(1, len(rows), 16)
    padded[0, :, :2] = torch.tensor(rows)
    return padded


def test_each_row_has_its_own_mean():
    """V(s) = 10 s_0, A(s) = s_1 * (1, 2, 6): mean 3 s_1. A mean over the batch would mix the two rows."""
    network, value, advantage = linear_dueling()
    value.weight[0, 0, 0] = 10.0
    advantage.weight[0, 1, :3] = torch.tensor([1.0, 2.0, 6.0])
    q_values = by_action(network(inputs([[1.0, 1.0], [2.0, -100.0]])), 3, 1)[..., 0]
    np.testing.assert_allclose(q_values, [[[8, 9, 13], [220, 120, -280]]])


def test_atoms_are_added_one_by_one():
    network, value, advantage = linear_dueling(num_atoms=2)
    value.bias[0, 0, :2] = torch.tensor([1.0, 5.0])
    advantage.bias[0, 0, :6] = torch.tensor([1.0, 10.0, 2.0, 20.0, 6.0, 60.0])  # [A, K] in reading order
    output = by_action(network(inputs([[0.0, 0.0]])), 3, 2)
    np.testing.assert_allclose(output[0, 0], [[-1, -15], [0, -5], [4, 35]])


def test_the_mean_over_actions_is_the_value():
    """Whatever the advantages are, and also after they all rise by the same: the split is unique."""
    rng = np.random.default_rng(0)
    network = PlainNetwork(2, Dueling((5, 12), 4, 3))
    network.initialise((0, 1))
    x = torch.zeros(2, 9, 16)
    x[..., :5] = torch.from_numpy(rng.normal(size=(2, 9, 5)))
    before = network(x)
    stream_of_value, stream_of_advantage, _ = network.activations(x)
    np.testing.assert_allclose(by_action(before, 4, 3).mean(dim=2), stream_of_value[-1][..., :3], atol=1e-6)
    assert stream_of_advantage[0].shape == stream_of_value[0].shape
    _, advantage = network.views(network.parameters)
    advantage[-1].bias[..., :12] += torch.tensor([0.5, -7.0, 2.0]).repeat(4)
    np.testing.assert_allclose(network(x), before, atol=1e-5)


def test_one_action_teaches_the_value_of_all():
    """One update of Q(s, 0): the streams' first step by Adam is .125 each, up for V and A_0, down for A_1 and A_2.

    Weight and bias: V rises by .25, A by (.25, -.25, -.25), whose mean is -1/12, and so Q by 7/12, 1/12, 1/12.
    """
    agent = make(
        "dueling-dqn", Discrete(1), Discrete(3), [0], hidden_sizes=(), reward_scale=1.0, learning_rate=0.125,
        batch_size=1, min_replay_size=1, max_gradient_norm=np.inf,
    )  # fmt: skip
    state = agent.state_dict()
    state["online"][:] = 0.0
    agent.load_state_dict(state)
    agent.observe(Transition(*(np.array([x]) for x in (0, 0, 1.0, 0, True, False))))
    np.testing.assert_allclose(agent.q_values(np.array([[0]]))[0, 0], np.array([7, 1, 1]) / 12, rtol=1e-5)


def test_a_dueling_network_has_as_many_weights():
    """What the streams share out between them; the few more are the value's output and its bias."""
    sizes = {}
    for dueling in (False, True):
        agent = make("dqn", Discrete(64), Discrete(16), [0], hidden_sizes=(64, 64), dueling=dueling)
        sizes[dueling] = np.count_nonzero(agent.state_dict()["online"])
    assert sizes[False] == 64 * 64 + 64 + 64 * 64 + 64 + 64 * 16 + 16
    assert sizes[True] == 64 * 64 + 64 + 64 * 64 + 64 + 32 * 16 + 16 + 32 + 1


def test_who_chooses():
    """Online (1, 3, 2), target (9, 4, 5): DQN takes action 0 and its 9, Double action 1 and its 4."""
    online, target = torch.tensor([[[1.0, 3.0, 2.0]]]), torch.tensor([[[9.0, 4.0, 5.0]]])
    assert greedy_in_target(lambda: pytest.fail("the online network was asked"), lambda: target).item() == 0
    assert greedy_in_online(lambda: online, lambda: target).item() == 1


@pytest.mark.parametrize(("double", "target"), [(False, 1 + 0.5 * 9), (True, 1 + 0.5 * 4)])
def test_double_looks_at_next_obs(double, target):
    """Tables as linear networks. From state 0 to state 1, where online says (1, 3, 2) and target (9, 4, 5).

    In state 0 the online network would choose action 2, whose target value in state 1 is 5: the slide's mistake.
    """
    agent = make(
        "dqn", Discrete(2), Discrete(3), [0], double=double, hidden_sizes=(), reward_scale=1.0, gamma=0.5,
        batch_size=1, min_replay_size=1, loss="squared",
    )  # fmt: skip
    state = agent.state_dict()
    for network, table in (("online", [[0, 0, 7], [1, 3, 2]]), ("target", [[0, 0, 0], [9, 4, 5]])):
        weights = np.zeros((17, 16), dtype=np.float32)
        weights[:2, :3] = table
        state[network] = weights.reshape(1, -1)
    agent.load_state_dict(state)
    metrics = agent.observe(Transition(*(np.array([x]) for x in (0, 1, 1.0, 1, False, False))))
    assert metrics["loss"][0] == pytest.approx(target**2 / 2)
