"""DQN: one update by hand, many beside a slow twin of one run, an exact solution, and truncation."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make
from gridrl_agents.streams import REPLAY, seed_sequence
from gridrl_agents.tabular.planning import value_iteration


def one(obs, action, reward, next_obs, terminated=False, truncated=False):
    fields = (obs, action, reward, next_obs, terminated, truncated)
    return Transition(*(np.array([field]) for field in fields))


@pytest.mark.parametrize("ending", ["terminated", "truncated"])
@pytest.mark.parametrize("loss", ["huber", "squared"])
def test_first_update_by_hand(ending, loss):
    """A linear network on one-hot states is a table and a bias, and Adam's first step is learning_rate * sign.

    Set so that Q(state, action) = w[state, action]: w[0] = (1, 2), w[1] = (3, 5), no bias. Reward 400 scaled by .01 is
    4; gamma .5. Truncated: target 4 + .5 * 5 = 6.5, error 2 - 6.5 = -4.5. Terminated: target 4, error -2.
    """
    agent = make(
        "dqn", Discrete(2), Discrete(2), [0], hidden_sizes=(), gamma=0.5, loss=loss, learning_rate=0.125,
        batch_size=1, min_replay_size=1, replay_capacity=1, target_update_period=3,
    )  # fmt: skip
    state = agent.state_dict()
    weights = np.zeros((17, 16), dtype=np.float32)  # 16 padded inputs and the bias
    weights[:2, :2] = [[1, 2], [3, 5]]
    state["online"] = state["target"] = weights.reshape(1, -1)
    agent.load_state_dict(state)
    np.testing.assert_array_equal(agent.q_values(np.array([[0, 1]])), [[[100, 200], [300, 500]]])

    metrics = agent.observe(one(0, 1, 400.0, 1, **{ending: True}))
    error = -2.0 if ending == "terminated" else -4.5
    slope = error if loss == "squared" else -1.0
    assert metrics["loss"] == pytest.approx(error**2 / 2 if loss == "squared" else abs(error) - 0.5)
    assert metrics["mean_q"] == pytest.approx(200.0)
    assert metrics["gradient_norm"] == pytest.approx(abs(slope) * 2**0.5)  # of the weight and of the bias
    # w[0, 1] and bias[1] rise by .125 each; adam_epsilon 1e-8 is far below float32's precision here.
    np.testing.assert_allclose(agent.q_values(np.array([[0, 1]])), [[[100, 225], [300, 512.5]]], rtol=1e-6)
    # The target network has not moved, so the second update aims at the same target.
    metrics = agent.observe(one(0, 1, 400.0, 1, **{ending: True}))
    assert metrics["loss"] == pytest.approx((error + 0.25) ** 2 / 2 if loss == "squared" else abs(error) - 0.75)


@pytest.mark.parametrize("loss", ["huber", "squared"])
@pytest.mark.parametrize("moves", [(7, 1.0), (1, 0.1)])
def test_many_updates_beside_a_slow_twin(loss, moves):
    """Sixty updates of one run with torch.nn, autograd and torch.optim.Adam; clipping bites in some of them.

    The twin sums in another order, so the two drift apart by float32's rounding; Adam divides by the gradient's own
    size and thereby lifts relative errors of 1e-6 in small gradients to the weights. 1e-3 of the loss leaves room for
    that, and a wrong sign, factor or index shows at once.
    """
    max_norm = {"huber": 0.4, "squared": 1.0}[loss]
    period, rate = moves
    settings = {
        "hidden_sizes": (24, 20), "batch_size": 8, "min_replay_size": 10, "replay_capacity": 40, "learning_rate": 0.005,
        "reward_scale": 0.1, "gamma": 0.9, "max_gradient_norm": max_norm, "target_update_period": period,
        "target_update_rate": rate, "loss": loss, "learn_period": 2,
    }  # fmt: skip
    space = Box(-1, 1, (5,), np.float32)
    agent = make("dqn", space, Discrete(3), [11], **settings)

    online, target = _twins(agent)
    optimizer = torch.optim.Adam(online.parameters(), lr=0.005)
    indices = np.random.default_rng(seed_sequence(11, REPLAY))
    rng, memory, updates = np.random.default_rng(0), [], 0
    clipped = 0
    for step in range(1, 131):
        obs, next_obs = rng.uniform(-1, 1, (2, 5)).astype(np.float32)
        action, reward, terminated = int(rng.integers(3)), 20 * rng.normal(), bool(rng.random() < 0.2)
        metrics = agent.observe(one(obs, action, reward, next_obs, terminated, rng.random() < 0.2))
        memory = [*memory, (obs, action, reward, next_obs, terminated)] if step <= 40 else memory
        memory[(step - 1) % 40] = (obs, action, reward, next_obs, terminated)
        assert bool(metrics) == (step >= 10 and step % 2 == 0)
        if not metrics:
            continue
        losses, estimates = [], []
        for place in (indices.random(8) * len(memory)).astype(int):
            o, a, r, n, end = memory[place]
            with torch.no_grad():
                td_target = 0.1 * r + 0.9 * (0.0 if end else target(torch.tensor(n)).max().item())
            estimate = online(torch.tensor(o))[a]
            estimates.append(estimate.item())
            x = (estimate - td_target).abs()
            losses.append(x**2 / 2 if loss == "squared" or x <= 1 else x - 0.5)
        mean = torch.stack(losses).mean()
        optimizer.zero_grad()
        mean.backward()
        norm = torch.nn.utils.clip_grad_norm_(online.parameters(), max_norm)
        optimizer.step()
        clipped += norm.item() > max_norm
        updates += 1
        if updates % period == 0:
            for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
                slow.data += rate * (fast.data - slow.data)
        assert metrics["loss"][0] == pytest.approx(mean.item(), rel=1e-3)
        assert metrics["mean_q"][0] == pytest.approx(np.mean(estimates) / 0.1, rel=1e-3, abs=1e-3)
        assert metrics["gradient_norm"][0] == pytest.approx(norm.item(), rel=1e-3)
    assert agent.num_updates == updates == 61
    assert 10 < clipped < 61
    probe = rng.uniform(-1, 1, (1, 30, 5)).astype(np.float32)
    expected = online(torch.from_numpy(probe)).detach() / 0.1
    np.testing.assert_allclose(agent.q_values(probe), expected, rtol=1e-2, atol=1e-2)


def _twins(agent):
    """Online and target network in torch.nn, with the agent's initial weights."""
    pair = []
    for _ in range(2):
        flat, modules = torch.from_numpy(agent.state_dict()["online"][0]), []
        for fan_in, fan_out in ((5, 24), (24, 20), (20, 3)):
            rows, columns = -(-fan_in // 16) * 16, -(-fan_out // 16) * 16
            matrix, flat = flat[: (rows + 1) * columns].view(rows + 1, columns), flat[(rows + 1) * columns :]
            linear = torch.nn.Linear(fan_in, fan_out)
            linear.weight.data = matrix[:fan_in, :fan_out].T.clone()
            linear.bias.data = matrix[-1, :fan_out].clone()
            modules += [linear, torch.nn.ReLU()]
        assert flat.numel() == 0
        pair.append(torch.nn.Sequential(*modules[:-1]))
    return pair


@pytest.mark.parametrize("moves", [(25, 1.0), (1, 0.05)])
def test_learns_the_exact_values(chain, make_runs, moves):
    """Values from 1 to 10, three seeds.

    Adam at a constant rate of .003 keeps weights moving by about that much a step, which is .03 in units of reward at a
    scale of .1, and a handful of weights add up to each value: .3 is ten times that.
    """
    agent = make(
        "dqn", Discrete(4), Discrete(2), [0, 1, 2], hidden_sizes=(32,), gamma=0.8, epsilon_end=1.0, reward_scale=0.1,
        learning_rate=0.003, min_replay_size=200, replay_capacity=2000,
        target_update_period=moves[0], target_update_rate=moves[1],
    )  # fmt: skip
    runs = make_runs(chain.model(), 3, 25, lambda state: state)
    for _ in range(3000):
        runs.step(agent)
    exact = value_iteration(chain.model(), 0.8).q_values
    values = agent.q_values(np.tile(np.arange(4), (3, 1)))
    np.testing.assert_allclose(values, np.broadcast_to(exact, (3, 4, 2)), atol=0.3)


def test_a_step_limit_is_no_end(make_model, make_runs):
    """Reward 1 for ever, cut after 10 steps: 1 / (1 - .9) = 10; a cut taken for an end gives 5.26.

    A hard copy every 10 updates shrinks what is missing by .9: 1e-6 of it after 1300 updates; .1 is for Adam's jitter.
    """
    loop = make_model(*(np.full((1, 1, 1), value) for value in (0, 1.0, 1.0, False)))
    agent = make(
        "dqn", Discrete(1), Discrete(1), [0], hidden_sizes=(), gamma=0.9, reward_scale=0.1, learning_rate=0.01,
        min_replay_size=32, target_update_period=10,
    )  # fmt: skip
    runs = make_runs(loop, 1, 10, lambda state: state)
    for _ in range(1400):
        runs.step(agent)
    assert agent.q_values(np.zeros((1, 1), dtype=int))[0, 0, 0] == pytest.approx(10, abs=0.1)


def test_reward_scale_shows_in_no_value(chain, make_runs):
    """The same data, squared loss, no clipping: at 1/128 of the scale Adam learns 1/128 of the values, shown times 128.

    Adam's step does not shrink with the gradient, so the learning rate goes with the scale, on a linear network whose
    initial values are zero.
    """
    values = []
    for scale in (1.0, 0.0078125):
        agent = make(
            "dqn", Discrete(4), Discrete(2), [0], hidden_sizes=(), loss="squared", max_gradient_norm=np.inf,
            learning_rate=0.25 * scale, adam_epsilon=1e-8 * scale, reward_scale=scale, epsilon_end=1.0,
            min_replay_size=32, target_update_period=10,
        )  # fmt: skip
        state = agent.state_dict()
        state["online"][:] = state["target"][:] = 0.0
        agent.load_state_dict(state)
        runs = make_runs(chain.model(), 1, 25, lambda state: state)
        means = [float(metrics["mean_q"][0]) for _, metrics in (runs.step(agent) for _ in range(300)) if metrics]
        values.append((means, agent.q_values(np.arange(4)[None])))
    assert np.abs(values[0][1]).max() > 3
    np.testing.assert_allclose(values[0][0], values[1][0], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(values[0][1], values[1][1], rtol=1e-3, atol=1e-3)


def test_a_state_that_does_not_fit():
    agent = make("dqn", Discrete(3), Discrete(2), [0])
    for other in (
        make("dqn", Discrete(3), Discrete(2), [0, 1]),
        make("dqn", Discrete(3), Discrete(2), [0], hidden_sizes=(16,)),
        make("q-learning", Discrete(3), Discrete(2), [0]),
    ):
        with pytest.raises(SettingsError, match=r"saved state does not fit this network of 1 runs"):
            agent.load_state_dict(other.state_dict())
    big, small = (make("dqn", Discrete(3), Discrete(2), [0], batch_size=1, min_replay_size=1, replay_capacity=c)
                  for c in (9, 4))  # fmt: skip
    for _ in range(6):
        big.observe(one(0, 0, 0.0, 0))
    with pytest.raises(SettingsError, match=r"its replay holds 6 transitions, expected at most 4"):
        small.load_state_dict(big.state_dict())


def test_a_hard_copy_is_exact():
    agent = make("dqn", Discrete(3), Discrete(2), [0, 1], batch_size=1, min_replay_size=1, target_update_period=3)
    equal = []
    for _ in range(7):
        agent.observe(Transition(*np.array([[0, 1], [1, 0], [50, -70], [2, 2], [False] * 2, [False] * 2])))
        state = agent.state_dict()
        equal.append(state["online"].tobytes() == state["target"].tobytes())
    assert equal == [False, False, True, False, False, True, False]


def test_values_of_many_observations_at_once():
    agent = make("dqn", Box(0, 1, (3,), np.float32), Discrete(2), [0, 1])
    obs = np.random.default_rng(0).random((2, 5000, 3), dtype=np.float32)
    values = agent.q_values(obs)
    assert values.shape == (2, 5000, 2)
    for n in (0, 2047, 2048, 4999):  # another count of rows may be summed in another order
        np.testing.assert_allclose(values[:, n], agent.q_values(obs[:, n : n + 1])[:, 0], rtol=1e-5, atol=1e-4)
