"""One update of every kind of learner beside a slow twin from the papers: one run, a transition at a time, autograd."""

from itertools import product

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.registry import make
from gridrl_agents.streams import NOISE, seed_sequence

INPUTS, HIDDEN, ACTIONS, SEED = 5, (20, 12), 3, 11
V_MIN, V_MAX, ATOMS, QUANTILES = -30.0, 50.0, 11, 7
SCALE, GAMMA = 0.1, 0.9


def padded(size):
    return (size + 15) // 16 * 16


class Twin:
    """A network of one run: unpadded weights with autograd, and the noise, drawn again from the same seed."""

    def __init__(self, dueling, noisy, atoms, key):
        shared, stream = [(INPUTS, HIDDEN[0])], (HIDDEN[0], HIDDEN[1] // 2)
        self.shapes = [*shared, (HIDDEN[0], HIDDEN[1]), (HIDDEN[1], ACTIONS * atoms)]
        if dueling:
            self.shapes = [*shared, stream, (stream[1], atoms), stream, (stream[1], ACTIONS * atoms)]
        self.dueling, self.noisy, self.atoms = dueling, noisy, atoms
        # float32 normals come from the generator one by one, so that many draws in a row are one long draw.
        self.generator = np.random.default_rng(seed_sequence(SEED, NOISE, key))

    def load(self, row):
        """Read the agent's row of parameters, mu and then sigma, as leaves."""
        self.layers = []
        for half in np.split(row, 2) if self.noisy else [row]:
            half = torch.from_numpy(half.copy()).double()
            for fan_in, fan_out in self.shapes:
                rows, columns = padded(fan_in), padded(fan_out)
                matrix, half = half[: (rows + 1) * columns].view(rows + 1, columns), half[(rows + 1) * columns :]
                weight, bias = matrix[:fan_in, :fan_out].clone(), matrix[rows, :fan_out].clone()
                self.layers.append((weight.requires_grad_(), bias.requires_grad_()))
            assert half.numel() == 0

    def draw(self):
        """Return the weights of one pass: mu + sigma * noise, f(x) = sign(x) sqrt(|x|)."""
        count = len(self.shapes)
        if not self.noisy:
            return self.layers
        drawn = []
        for (fan_in, fan_out), (mu_w, mu_b), (sigma_w, sigma_b) in zip(
            self.shapes, self.layers[:count], self.layers[count:], strict=True
        ):
            raw = [self.generator.standard_normal(padded(size), dtype=np.float32) for size in (fan_in, fan_out)]
            f_in, f_out = (torch.from_numpy(np.sign(x) * np.sqrt(np.abs(x))).double() for x in raw)
            noise = torch.outer(f_in[:fan_in], f_out[:fan_out])
            drawn.append((mu_w + sigma_w * noise, mu_b + sigma_b * f_out[:fan_out]))
        return drawn

    def __call__(self, x, weights):
        """Return [A, K] of one observation."""

        def through(x, layers):
            for number, (weight, bias) in enumerate(layers):
                x = x @ weight + bias
                x = x.relu() if number < len(layers) - 1 else x
            return x

        if not self.dueling:
            return through(x, weights).view(ACTIONS, self.atoms)
        shared = through(x, weights[:1]).relu()
        value, advantage = through(shared, weights[1:3]), through(shared, weights[3:]).view(ACTIONS, self.atoms)
        return torch.stack([value + advantage[a] - advantage.mean(dim=0) for a in range(ACTIONS)])

    def gradient(self, loss):
        """Return the gradient in the agent's layout."""
        flat = []
        leaves = [leaf for layer in self.layers for leaf in layer]
        gradients = iter(torch.autograd.grad(loss, leaves))
        for fan_in, fan_out in self.shapes * (2 if self.noisy else 1):
            matrix = np.zeros((padded(fan_in) + 1, padded(fan_out)))
            matrix[:fan_in, :fan_out], matrix[-1, :fan_out] = next(gradients), next(gradients)
            flat.append(matrix.ravel())
        return np.concatenate(flat)


def mean_loss(estimate, after, reward, discount):
    error = reward + discount * after[0] - estimate[0]
    loss = 0.5 * error**2 if error.abs() <= 1 else error.abs() - 0.5
    return loss, error.abs()


def categorical_loss(estimate, after, reward, discount):
    """Bellemare et al. 2017, algorithm 1, atom by atom."""
    low, high = SCALE * V_MIN, SCALE * V_MAX
    step, probability = (high - low) / (ATOMS - 1), after.softmax(0)
    target = torch.zeros(ATOMS, dtype=torch.float64)
    for j in range(ATOMS):
        b = (min(max(reward + discount * (low + j * step), low), high) - low) / step
        lower, upper = int(np.floor(b)), int(np.ceil(b))
        if lower == upper:
            target[lower] += probability[j]
        else:
            target[lower] += probability[j] * (upper - b)
            target[upper] += probability[j] * (b - lower)
    loss = -(target * estimate.log_softmax(0)).sum()
    return loss, loss + (target[target > 0] * target[target > 0].log()).sum()


def quantile_loss(estimate, after, reward, discount):
    """Dabney et al. 2018, algorithm 1, pair by pair; kappa is 1."""
    total = 0.0
    for i in range(QUANTILES):
        tau = (2 * i + 1) / (2 * QUANTILES)
        for j in range(QUANTILES):
            u = reward + discount * after[j] - estimate[i]
            huber = 0.5 * u**2 if u.abs() <= 1 else u.abs() - 0.5
            total += abs(tau - float(u < 0)) * huber / QUANTILES
    return total, (reward + discount * after.mean() - estimate.mean()).abs()


KINDS = {
    "mean": (1, mean_loss, lambda z: z[..., 0], {}),
    "categorical": (
        ATOMS,
        categorical_loss,
        lambda z: (z.softmax(-1) * torch.linspace(SCALE * V_MIN, SCALE * V_MAX, ATOMS, dtype=torch.float64)).sum(-1),
        {"num_atoms": ATOMS, "v_min": V_MIN, "v_max": V_MAX},
    ),
    "quantile": (QUANTILES, quantile_loss, lambda z: z.mean(-1), {"num_quantiles": QUANTILES}),
}


@pytest.mark.parametrize(
    ("double", "dueling", "noisy", "distribution"),
    list(product([False, True], [False, True], [False, True], KINDS)),
)
def test_updates_beside_a_slow_twin(double, dueling, noisy, distribution):
    """Loss, gradient, priorities and values; prioritized replay and 3 steps, so that weights and discounts differ.

    The twin works in float64, the agent in float32: a gradient is a sum of 8 terms that may cancel, hence a tolerance
    of 1e-4 of its longest entry. Each update starts from the agent's own parameters, so that nothing adds up.
    """
    atoms, loss_of, values_of, settings = KINDS[distribution]
    agent = make(
        "dqn", Box(-1, 1, (INPUTS,), np.float32), Discrete(ACTIONS), [SEED], double=double, dueling=dueling,
        noisy=noisy, distribution=distribution, replay="proportional", n_step=3, hidden_sizes=HIDDEN, batch_size=8,
        learning_rate=0.01, min_replay_size=20,
        replay_capacity=50, gamma=GAMMA, reward_scale=SCALE, target_update_period=3,
        max_gradient_norm=np.inf, **settings,
    )  # fmt: skip
    online, target = (Twin(dueling, noisy, atoms, key) for key in (0, 1))
    seen = []
    draw, teach = agent._replay.sample, agent._replay.update_priorities
    agent._replay.sample = lambda: seen.append(draw()) or seen[-1]
    agent._replay.update_priorities = lambda place, priority: seen.append(priority.copy()) or teach(place, priority)

    rng = np.random.default_rng(0)
    for step in range(45):
        obs, next_obs = rng.uniform(-1, 1, (2, INPUTS)).astype(np.float32)
        before = agent.state_dict()
        fields = (obs, int(rng.integers(3)), 10 * rng.normal(), next_obs, rng.random() < 0.2, rng.random() < 0.1)
        metrics = agent.observe(Transition(*(np.array([field]) for field in fields)))
        if step < 35:
            for twin in (online, target) if metrics else ():  # the same noise is drawn, and not looked at
                for _ in range(1 + (double and twin is online)):
                    twin.load(before["online"][0])
                    twin.draw()
            seen.clear()
            continue
        batch, priorities = seen
        seen.clear()
        online.load(before["online"][0]), target.load(before["target"][0])
        chooser = online if double else target
        weights_after = target.draw()
        weights_choice = online.draw() if double else weights_after
        weights_now = online.draw()

        losses, estimates = [], []
        for b in range(8):
            now, later = (x[0, b, :INPUTS].double() for x in (batch.obs, batch.next_obs))
            with torch.no_grad():
                best = int(values_of(chooser(later, weights_choice)).argmax())
                after = target(later, weights_after)[best]
            estimate = online(now, weights_now)[int(batch.action[0, b])]
            loss, priority = loss_of(estimate, after, float(batch.reward[0, b]), float(batch.discount[0, b]))
            assert priorities[0, b] == pytest.approx(priority.item(), rel=1e-3, abs=1e-5)
            losses.append(float(batch.weight[0, b]) * loss)
            estimates.append(values_of(estimate).item())
        mean = sum(losses) / 8
        assert len(set(batch.weight[0].tolist())) > 1
        assert metrics["loss"][0] == pytest.approx(mean.item(), rel=1e-4)
        assert metrics["mean_q"][0] == pytest.approx(np.mean(estimates) / SCALE, rel=1e-3, abs=1e-3)
        gradient = online.gradient(mean)
        np.testing.assert_allclose(agent._gradient[0], gradient, atol=1e-4 * np.abs(gradient).max())
        assert metrics["gradient_norm"][0] == pytest.approx(np.linalg.norm(gradient), rel=1e-4)

    # Shown values have no noise.
    online.load(agent.state_dict()["online"][0])
    shown = values_of(online(torch.from_numpy(obs).double(), online.layers[: len(online.shapes)])).detach() / SCALE
    np.testing.assert_allclose(agent.q_values(obs[None, None])[0, 0], shown, rtol=1e-4, atol=1e-3)
