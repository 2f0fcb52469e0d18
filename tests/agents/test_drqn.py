"""DRQN: many updates beside a slow twin of one run, the ladder of probes up to memory, and its promises."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make, remembers
from gridrl_agents.streams import REPLAY, seed_sequence

SMALL = {"hidden_sizes": (24,), "lstm_size": 20, "batch_size": 6, "sequence_length": 4, "burn_in": 3}


def one(obs, action, reward, next_obs, terminated, truncated):
    return Transition(*(np.array([field]) for field in (obs, action, reward, next_obs, terminated, truncated)))


class TwinNetwork(torch.nn.Module):
    """Linear, rectifier, torch's LSTM, linear, for one run; reads one observation at a time."""

    def __init__(self, flat, num_inputs, hidden, units, actions):
        super().__init__()
        rows, width = -(-num_inputs // 16) * 16, -(-units // 32) * 32

        def take(height, breadth):
            nonlocal flat
            part, flat = flat[: height * breadth].view(height, breadth), flat[height * breadth :]
            return part

        def gates(part, height):
            return part[:height].unflatten(1, (4, width))[:, [0, 1, 3, 2], :units].reshape(height, -1).T.clone()

        breadth = -(-hidden // 16) * 16
        self.first = torch.nn.Linear(num_inputs, hidden)
        self.first.weight.data = take(rows, breadth)[:num_inputs, :hidden].T.clone()
        self.first.bias.data = take(1, breadth)[0, :hidden].clone()
        self.lstm = torch.nn.LSTM(hidden, units)
        self.lstm.weight_ih_l0.data = gates(take(breadth, 4 * width), hidden)
        self.lstm.weight_hh_l0.data = gates(take(width, 4 * width), units)
        self.lstm.bias_ih_l0.data = gates(take(1, 4 * width), 1)[:, 0]
        self.lstm.bias_hh_l0 = torch.nn.Parameter(torch.zeros(4 * units), requires_grad=False)
        self.last = torch.nn.Linear(units, actions)
        self.last.weight.data = take(width, 16)[:units, :actions].T.clone()
        self.last.bias.data = take(1, 16)[0, :actions].clone()
        assert flat.numel() == 0
        self.units = units

    def fresh(self):
        return torch.zeros(2, self.units)

    def forward(self, obs, state):
        read = self.first(torch.as_tensor(obs)).relu()
        output, (hidden, cell) = self.lstm(read[None], (state[:1], state[1:]))
        return self.last(output[0]), torch.cat((hidden, cell))


@pytest.mark.parametrize("stored_state", [True, False])
@pytest.mark.parametrize("burn_in", [0, 3])
@pytest.mark.parametrize(("loss", "moves"), [("huber", (7, 1.0)), ("squared", (1, 0.1))])
def test_updates_beside_a_slow_twin(loss, moves, burn_in, stored_state):
    """Everything but the drawn places is worked out anew, one step of one sequence at a time."""
    period, rate = moves
    settings = SMALL | {
        "burn_in": burn_in, "stored_state": stored_state, "min_replay_size": 12, "replay_capacity": 25, "gamma": 0.9,
        "learning_rate": 0.005, "reward_scale": 0.1, "max_gradient_norm": 0.3, "loss": loss, "learn_period": 2,
        "target_update_period": period, "target_update_rate": rate,
    }  # fmt: skip
    length = burn_in + 4
    agent = make("drqn", Box(-1, 1, (5,), np.float32), Discrete(3), [11], **settings)
    online, target = (TwinNetwork(torch.from_numpy(agent.state_dict()["online"][0]), 5, 24, 20, 3) for _ in range(2))
    learned = [parameter for parameter in online.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=0.005)
    places = np.random.default_rng(seed_sequence(11, REPLAY))
    rng, memory, updates, clipped = np.random.default_rng(0), [], 0, 0
    state = online.fresh()
    for step in range(1, 61):
        obs, next_obs = rng.uniform(-1, 1, (2, 5)).astype(np.float32)
        action, reward = int(rng.integers(3)), 20 * rng.normal()
        terminated, truncated = bool(rng.random() < 0.15), bool(rng.random() < 0.15)
        with torch.no_grad():
            before, (_, state) = state, online(obs, state)
        memory = [*memory, (obs, action, reward, next_obs, terminated, truncated, before)][-25:]
        if terminated or truncated:
            state = online.fresh()
        metrics = agent.observe(one(obs, action, reward, next_obs, terminated, truncated))
        assert bool(metrics) == (step >= 12 and step % 2 == 0)
        if not metrics:
            continue
        losses, estimates = [], []
        for begin in (places.random(6) * (len(memory) - length + 1)).astype(int):
            first = memory[begin][-1] if stored_state else online.fresh()
            mine, others = first, first
            for t in range(length):
                o, a, r, n, end, cut, _ = memory[begin + t]
                with torch.no_grad():
                    _, others = target(o, others)
                    best = target(n, others)[0].max().item()
                if t < burn_in:
                    with torch.no_grad():
                        _, mine = online(o, mine)
                else:
                    values, mine = online(o, mine)
                    estimates.append(values[a].item())
                    x = (values[a] - (0.1 * r + (0.0 if end else 0.9 * best))).abs()
                    losses.append(x**2 / 2 if loss == "squared" or x <= 1 else x - 0.5)
                if end or cut:
                    mine, others = online.fresh(), target.fresh()
        mean = torch.stack(losses).mean()
        optimizer.zero_grad()
        mean.backward()
        norm = torch.nn.utils.clip_grad_norm_(learned, 0.3)
        optimizer.step()
        clipped += norm.item() > 0.3
        updates += 1
        if updates % period == 0:
            for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
                slow.data += rate * (fast.data - slow.data)
        assert metrics["loss"][0] == pytest.approx(mean.item(), rel=2e-3)
        assert metrics["mean_q"][0] == pytest.approx(np.mean(estimates) / 0.1, rel=2e-3, abs=2e-3)
        assert metrics["gradient_norm"][0] == pytest.approx(norm.item(), rel=2e-3)
    assert agent.num_updates == updates == 25
    assert clipped > 3
    probe = rng.uniform(-1, 1, (1, 9, 5)).astype(np.float32)
    expected = torch.stack([online(obs, online.fresh())[0] for obs in probe[0]]).detach() / 0.1
    np.testing.assert_allclose(agent.q_values(probe)[0], expected, rtol=2e-2, atol=2e-2)


class Probe:
    """Episodes of `length` steps, all runs at once; `show(t, cue)` is seen, `pay(t, cue, action)` earned."""

    def __init__(self, runs, length, show, pay, cuts=False):
        self.length, self.show, self.pay, self.cuts = length, show, pay, cuts
        self.rngs = [np.random.default_rng([7, run]) for run in range(runs)]
        self.t = 0
        self.cue = self.draw()

    def draw(self):
        return np.array([rng.integers(2) for rng in self.rngs])

    def seen(self):
        return np.array([self.show(self.t, cue) for cue in self.cue], dtype=np.float32)

    def train(self, agent, steps):
        for _ in range(steps):
            obs = self.seen()
            action = agent.act(obs)
            reward = np.array([self.pay(self.t, cue, chosen) for cue, chosen in zip(self.cue, action, strict=True)])
            self.t += 1
            ended = np.full(len(self.cue), self.t == self.length)
            # What is seen after the end counts only where the episode was cut.
            agent.observe(Transition(obs, action, reward, self.seen(), ended & (not self.cuts), ended & self.cuts))
            if self.t == self.length:
                self.t, self.cue = 0, self.draw()
        return agent

    def returns(self, agent):
        """What the greedy policy earns with either cue, [R, 2]."""
        runs = len(self.cue)
        policy, earned = agent.policy(0.0), np.zeros((runs, 2))
        for t in range(self.length):
            obs = np.array([[self.show(t, cue) for cue in (0, 1)]] * runs, dtype=np.float32)
            action = policy.act(obs)
            for cue in (0, 1):
                earned[:, cue] += [self.pay(t, cue, chosen) for chosen in action[:, cue]]
        return earned


QUICK = {
    "hidden_sizes": (16,), "lstm_size": 16, "reward_scale": 1.0, "min_replay_size": 64, "replay_capacity": 2000,
    "learning_rate": 0.005, "gamma": 0.9, "learn_period": 4, "target_update_period": 10, "epsilon_decay_steps": 1000,
    "batch_size": 16, "sequence_length": 5, "burn_in": 3, "epsilon_end": 0.1,
}  # fmt: skip
RUNS = 3


def drqn(size, actions=2, **settings):
    return make("drqn", Box(-1, 1, (size,), np.float32), Discrete(actions), range(RUNS), **(QUICK | settings))


def test_probe_constant_value():
    agent = Probe(RUNS, 1, lambda t, cue: [0.0], lambda t, cue, action: 1.0).train(drqn(1, 1), 600)
    np.testing.assert_allclose(agent.q_values(np.zeros((RUNS, 1, 1))), 1.0, atol=0.1)


def test_probe_value_from_the_observation():
    probe = Probe(RUNS, 1, lambda t, cue: [2.0 * cue - 1], lambda t, cue, action: 2.0 * cue - 1)
    values = probe.train(drqn(1, 1), 1000).q_values(np.array([[[-1.0], [1.0]]] * RUNS, dtype=np.float32))
    np.testing.assert_allclose(values[..., 0], [[-1, 1]] * RUNS, atol=0.15)


def test_probe_one_step_of_discount():
    """Reward 1 at the second step: worth .9 at the first."""
    probe = Probe(RUNS, 2, lambda t, cue: [t == 0, t == 1], lambda t, cue, action: float(t == 1))
    value = probe.train(drqn(2, 1), 1200).q_values(np.array([[[1.0, 0.0]]] * RUNS, dtype=np.float32))
    np.testing.assert_allclose(value, 0.9, atol=0.15)


def test_probe_choice_of_action():
    probe = Probe(RUNS, 1, lambda t, cue: [0.0], lambda t, cue, action: 2.0 * action - 1)
    values = probe.train(drqn(1), 1000).q_values(np.zeros((RUNS, 1, 1)))
    np.testing.assert_allclose(values[:, 0], [[-1, 1]] * RUNS, atol=0.2)


def test_probe_choice_by_observation():
    probe = Probe(RUNS, 1, lambda t, cue: [2.0 * cue - 1], lambda t, cue, action: 1.0 if action == cue else -1.0)
    np.testing.assert_array_equal(probe.returns(probe.train(drqn(1), 1500)), 1.0)


def corridor(runs):
    """The cue is shown at the first of five steps only, and asked for at the last."""

    def show(t, cue):
        return [float(t == 0 and cue == 0), float(t == 0 and cue == 1), float(t == 4)]

    def pay(t, cue, action):
        return (1.0 if action == cue else -1.0) if t == 4 else 0.0

    return Probe(runs, 5, show, pay)


def test_probe_memory():
    """DRQN answers right in every run, DQN cannot: at the last step it sees the same, whatever the cue was."""
    probe = corridor(RUNS)
    np.testing.assert_array_equal(probe.returns(probe.train(drqn(3), 4000)), 1.0)
    dqn = make(
        "dqn", Box(-1, 1, (3,), np.float32), Discrete(2), range(RUNS), hidden_sizes=(16,), reward_scale=1.0,
        min_replay_size=64, epsilon_decay_steps=1000, target_update_period=20,
    )  # fmt: skip
    probe = corridor(RUNS)
    np.testing.assert_array_equal(probe.returns(probe.train(dqn, 1500)).sum(axis=1), 0.0)


def test_a_step_limit_is_no_end():
    """Reward 1 for ever, cut after 4 steps: 1 / (1 - .8) = 5; a cut taken for an end gives at most 2.95."""
    probe = Probe(RUNS, 4, lambda t, cue: [1.0], lambda t, cue, action: 1.0, cuts=True)
    agent = probe.train(drqn(1, 1, gamma=0.8), 2500)
    np.testing.assert_allclose(agent.q_values(np.ones((RUNS, 1, 1))), 5.0, atol=0.3)


SHAPE = (5, 6, 3)  # 90 entries, of which the network reads 77: nothing is a multiple of 16
SUPPORT = (np.arange(90) % 7 != 3).reshape(SHAPE)


def play(seeds, steps, support=SUPPORT, **settings):
    """Train on numbers that each come from their run's seed; return the agent, actions, metrics and what it shows."""
    space = Box(0, 1, SHAPE, np.uint8)
    agent = make("drqn", space, Discrete(3), seeds, observation_support=support, **settings)
    worlds = [np.random.default_rng([seed, 99]) for seed in seeds]

    def draw():
        return np.stack([(rng.random(SHAPE) < 0.2) & SUPPORT for rng in worlds]).astype(np.uint8)

    obs, actions, metrics = draw(), [], []
    for _ in range(steps):
        action, next_obs = agent.act(obs), draw()
        chance = np.array([rng.random(3) for rng in worlds])
        reward = 100 * (chance[:, 0] - 0.5) * (1 + action)
        metrics.append(agent.observe(Transition(obs, action, reward, next_obs, chance[:, 1] < 0.1, chance[:, 2] < 0.1)))
        actions.append(action)
        obs = np.where((chance[:, 1:] < 0.1).any(axis=1)[:, None, None, None], draw(), next_obs)
    probe = np.stack([draw() for _ in range(7)], axis=1)
    policy = agent.policy(0.3, stream_key=7)
    chosen = [policy.act(probe) for _ in range(3)]
    return agent, np.array(actions), metrics, agent.q_values(probe), np.array(chosen)


TINY = {
    "hidden_sizes": (40,), "lstm_size": 24, "batch_size": 5, "sequence_length": 4, "burn_in": 2, "min_replay_size": 30,
    "replay_capacity": 70, "learn_period": 2, "target_update_period": 13,
}  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "settings"),
    [
        (160, TINY),
        (160, TINY | {"torso": "conv", "hidden_sizes": (24,), "lstm_size": 7}),
        (160, TINY | {"hidden_sizes": (), "stored_state": False, "burn_in": 0, "loss": "squared"}),
        (160, TINY | {"target_update_period": 1, "target_update_rate": 0.05, "max_gradient_norm": 0.2}),
        (300, {"min_replay_size": 200}),  # all others by default
    ],
)
def test_company_makes_no_difference(steps, settings):
    """Run k of R is, to the last bit, what the same seed is alone or in any other company."""
    alone = {seed: play([seed], steps, **settings) for seed in (3, 4)}
    assert any(metrics for metrics in alone[3][2])
    for company in ([3, 4], [9, 4, 3], [3, 1, 4, 15, 9]):
        agent, actions, metrics, values, chosen = play(company, steps, **settings)
        for k, seed in enumerate(company):
            if seed not in alone:
                continue
            one_agent, its_actions, its_metrics, its_values, its_choice = alone[seed]
            np.testing.assert_array_equal(actions[:, k], its_actions[:, 0])
            np.testing.assert_array_equal(chosen[:, k], its_choice[:, 0])
            assert values[k].tobytes() == its_values[0].tobytes()
            for here, there in zip(metrics, its_metrics, strict=True):
                assert here.keys() == there.keys()
                for metric in here:
                    assert here[metric][k].tobytes() == there[metric][0].tobytes(), metric
            state, its_state = agent.state_dict(), one_agent.state_dict()
            for part in ("online", "target", "state"):
                assert state[part][k].tobytes() == its_state[part][0].tobytes(), part
            for moment in ("mean", "square"):
                assert state["optimizer"][moment][k].tobytes() == its_state["optimizer"][moment][0].tobytes()
            for field, kept in state["replay"]["kept"].items():
                assert kept[:, k].tobytes() == its_state["replay"]["kept"][field][:, 0].tobytes(), field


class Walk:
    """Steps two runs through random observations; where it stands can be copied."""

    def __init__(self, number=0):
        self.number = number

    def step(self, agent):
        rng = np.random.default_rng([5, self.number])
        obs = np.random.default_rng([4, self.number]).integers(2, size=(2, 21)).astype(np.uint8)
        next_obs = np.random.default_rng([4, self.number + 1]).integers(2, size=(2, 21)).astype(np.uint8)
        action = agent.act(obs)
        ended = rng.random((2, 2)) < 0.1
        metrics = agent.observe(Transition(obs, action, 50 * rng.normal(size=2), next_obs, ended[0], ended[1]))
        self.number += 1
        return action.tobytes(), {name: value.tobytes() for name, value in metrics.items()}


def small_agent(seeds=(5, 6)):
    return make("drqn", Box(0, 1, (21,), np.uint8), Discrete(3), seeds, **(TINY | {"hidden_sizes": (16,)}))


@pytest.mark.parametrize("steps", [0, 7, 29, 30, 101])
def test_restored_goes_on_to_the_same_bytes(assert_same, steps):
    """Also in the middle of an episode, whose memory is part of the state."""
    agent, other, walk = small_agent(), small_agent(), Walk()
    for _ in range(steps):
        walk.step(agent)
    for _ in range(3):
        Walk().step(other)  # what it was before must not matter
    saved = agent.state_dict()
    other.load_state_dict(saved)
    assert_same(other.state_dict(), saved)
    copy = Walk(walk.number)
    assert [walk.step(agent) for _ in range(80)] == [copy.step(other) for _ in range(80)]
    assert_same(agent.state_dict(), other.state_dict())


def test_saved_between_act_and_observe(assert_same):
    """The state is then the one before the observation, which `observe` is told as well."""
    agent, other, walk = small_agent(), small_agent(), Walk()
    for _ in range(50):
        walk.step(agent)
    obs, zero = np.ones((2, 21), dtype=np.uint8), np.zeros(2)
    action = agent.act(obs)
    other.load_state_dict(agent.state_dict())
    for one_of_both in (agent, other):
        one_of_both.observe(Transition(obs, action, zero, obs, zero, zero))
    assert_same(agent.state_dict(), other.state_dict())


def test_looking_twice_is_looking_once():
    agent, other = small_agent(), small_agent()
    obs, zero = np.ones((2, 21), dtype=np.uint8), np.zeros(2)
    for _ in range(3):
        agent.act(obs)
    action = other.act(obs)
    for one_of_both in (agent, other):
        one_of_both.observe(Transition(obs, action, zero, obs, zero, zero))
    assert agent.state_dict()["state"].tobytes() == other.state_dict()["state"].tobytes()
    assert agent.state_dict()["state"].any()


def test_each_run_forgets_at_its_own_episodes_end():
    agent, obs, zero = small_agent(), np.ones((2, 21), dtype=np.uint8), np.zeros(2, dtype=bool)
    for ends in ((True, False), (False, True)):
        for terminated, truncated in ((np.array(ends), zero), (zero, np.array(ends))):
            action = agent.act(obs)
            agent.observe(Transition(obs, action, np.zeros(2), obs, terminated, truncated))
            remembered = agent.state_dict()["state"].any(axis=(1, 2))
            np.testing.assert_array_equal(remembered, ~np.array(ends))


def test_a_policy_remembers_by_itself_and_leaves_no_trace(assert_same):
    """Its values are those of the unrolled network; a reset episode is a fresh one, the others go on."""
    agent, walk = small_agent(), Walk()
    for _ in range(60):
        walk.step(agent)
    before = agent.state_dict()
    rng = np.random.default_rng(0)
    obs = rng.integers(2, size=(6, 2, 4, 21)).astype(np.uint8)
    policy, state = agent.policy(0.0), agent.fresh_state(4)
    for t in range(6):
        q_values, state = agent.read(obs[t], state)
        np.testing.assert_array_equal(policy.act(obs[t]), q_values.argmax(axis=2))
        if t == 2:
            mask = np.array([[True, False, False, True], [False, True, False, False]])
            policy.reset(mask)
            state[torch.from_numpy(mask)] = 0.0
    fresh = agent.read(obs[5], agent.fresh_state(4))[0]
    assert (np.abs(q_values - fresh) > 1e-6).any(), "what was seen before counts"
    np.testing.assert_allclose(agent.q_values(obs[5]), fresh / 0.01, rtol=1e-6)
    assert_same(agent.state_dict(), before)


def test_same_key_same_actions():
    agent = small_agent()
    obs = np.ones((2, 30, 21), dtype=np.uint8)
    acted = {key: agent.policy(1.0, stream_key=key).act(obs) for key in (1, 2)}
    np.testing.assert_array_equal(agent.policy(1.0, stream_key=1).act(obs), acted[1])
    assert (acted[1] != acted[2]).any()
    assert (acted[1][0] != acted[1][1]).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lstm_size": 0}, "lstm_size must be a whole number of at least 1, not 0"),
        ({"burn_in": -1}, "burn_in must be a whole number of at least 0, not -1"),
        ({"min_replay_size": 15}, r"from burn_in \+ sequence_length \(16\) to replay_capacity \(20000\), not 15"),
        ({"stored_state": 1}, "stored_state must be true or false, not 1"),
        ({"torso": "cnov"}, "unknown torso 'cnov'; did you mean 'conv'"),
        ({"hidden_sizes": 12}, "hidden_sizes must be a list of whole numbers, not 12"),
        ({"target_update_rate": 0.5}, r"0\.5 \(Polyak averaging\) needs target_update_period 1, not 125"),
    ],
)
def test_settings(settings, message):
    with pytest.raises(SettingsError, match=message):
        make("drqn", Discrete(3), Discrete(2), [0], **settings)


def test_a_state_that_does_not_fit():
    with pytest.raises(SettingsError, match="does not fit this network of 2 runs"):
        small_agent().load_state_dict(small_agent((1, 2, 3)).state_dict())


def test_it_is_known_to_remember():
    assert remembers("drqn")
    assert not remembers("dqn")
