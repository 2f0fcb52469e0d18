"""Every number that is told of DRQN's update, beside a memory that is read step by step in float64."""

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.errors import SettingsError
from gridrl_agents.explain import explain
from gridrl_agents.registry import make

INPUTS, HIDDEN, UNITS, ACTIONS, RUN = 5, 6, 7, 3, 1
SCALE, GAMMA, BATCH, LENGTH, BURN_IN = 0.1, 0.9, 4, 3, 2
CLOSE = {"rel": 2e-4, "abs": 2e-4}  # the agent counts in float32


def make_agent(**settings):
    fixed = {"hidden_sizes": (HIDDEN,), "lstm_size": UNITS, "batch_size": BATCH, "sequence_length": LENGTH}
    fixed |= {"burn_in": BURN_IN, "min_replay_size": 12, "learn_period": 2, "gamma": GAMMA, "reward_scale": SCALE}
    fixed |= {"learning_rate": 0.01, "target_update_period": 5}
    return make("drqn", Box(-1, 1, (INPUTS,), np.float32), Discrete(ACTIONS), [5, 11], **fixed | settings)


class Memory:
    """One run's network: a hidden layer with a rectifier, an LSTM, a linear output; read one step at a time."""

    def __init__(self, network):
        torso, lstm, head = network._views
        unit = np.r_[[np.arange(UNITS) + gate * network._lstm.width for gate in range(4)]].ravel()
        self.hidden = torso[0].weight[RUN, :INPUTS, :HIDDEN], torso[0].bias[RUN, 0, :HIDDEN]
        self.gates = lstm.inputs[RUN, :HIDDEN, unit], lstm.recurrent[RUN, :UNITS, unit], lstm.bias[RUN, 0, unit]
        self.head = head[0].weight[RUN, :UNITS, :ACTIONS], head[0].bias[RUN, 0, :ACTIONS]
        self.hidden, self.gates, self.head = (
            [each.numpy().astype(float) for each in part] for part in (self.hidden, self.gates, self.head)
        )

    def step(self, obs, state):
        """Return the values [A] of an observation, and h and c after it."""
        h, c = state
        read = np.maximum(obs @ self.hidden[0] + self.hidden[1], 0)
        i, f, o, g = np.split(read @ self.gates[0] + h @ self.gates[1] + self.gates[2], 4)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        return (h @ self.head[0] + self.head[1]) / SCALE, (h, c)

    def fresh(self):
        return np.zeros(UNITS), np.zeros(UNITS)


def random_steps(count):
    rng = np.random.default_rng(0)
    for _ in range(count):
        obs, next_obs = rng.uniform(-1, 1, (2, 2, INPUTS)).astype(np.float32)
        terminated, truncated = rng.random((2, 2)) < 0.12
        yield Transition(
            obs, rng.integers(ACTIONS, size=2), 10 * rng.normal(size=2), next_obs, terminated, truncated & ~terminated
        )


def huber(x):
    return x * x / 2 if abs(x) <= 1 else abs(x) - 0.5


@pytest.mark.parametrize("stored_state", [True, False])
@pytest.mark.parametrize("item", [None, 2])
def test_every_number(item, stored_state, make_check, assert_same):
    agent, plain = (make_agent(stored_state=stored_state) for _ in range(2))
    batches = []
    draw = agent._replay.sample
    agent._replay.sample = lambda: batches.append(draw()) or batches[-1]
    log, explained = [], 0
    for transition in random_steps(60):
        log.append(tuple(field[RUN] for field in transition))
        before = agent.state_dict()
        online, target = Memory(agent._online), Memory(agent._target)
        told = explain(agent, transition, RUN, item=item)
        metrics = plain.observe(transition)
        assert (told is None) == (not metrics)
        if told is None:
            continue
        explained += 1
        check = make_check(told)
        steps, after = batches[-1], agent.state_dict()

        def read(network, sequence, state):
            """Return a sequence's values, its states before each step and after; a new episode begins afresh."""
            values, befores, afters = [], [], []
            for number, step in enumerate(sequence):
                if number and (sequence[number - 1][4] or sequence[number - 1][5]):
                    state = network.fresh()
                befores.append(state)
                q, state = network.step(step[0].astype(float), state)
                values.append(q)
                afters.append(state)
            return values, befores, afters

        numbers = []
        for b in range(BATCH):
            rows = steps.obs[RUN, :, b, :INPUTS].numpy()
            first = next(t for t, step in enumerate(log) if (step[0] == rows[0]).all())
            sequence = log[first : first + BURN_IN + LENGTH]
            for t, step in enumerate(sequence):
                np.testing.assert_array_equal(rows[t], step[0])
            kept = steps.state[RUN, b].numpy().astype(float)
            stored = (kept[:UNITS], kept[len(kept) // 2 :][:UNITS]) if stored_state else online.fresh()
            values, befores, _ = read(online, sequence, stored)
            _, _, afters = read(target, sequence, stored)
            next_q = [target.step(s[3].astype(float), state)[0] for s, state in zip(sequence, afters, strict=True)]
            discounts = [0.0 if step[4] else GAMMA for step in sequence]
            targets = [s[2] + d * q.max() for s, d, q in zip(sequence, discounts, next_q, strict=True)]
            estimates = [q[int(step[1])] for q, step in zip(values, sequence, strict=True)]
            errors = np.subtract(targets, estimates)
            numbers.append((sequence, stored, values, befores, next_q, discounts, targets, estimates, errors))
        worst = [np.abs(one[-1][BURN_IN:]).max() for one in numbers]
        i = int(np.argmax(worst)) if item is None else item
        sequence, stored, values, befores, next_q, discounts, targets, estimates, errors = numbers[i]
        t = BURN_IN + int(np.abs(errors[BURN_IN:]).argmax())
        action = int(sequence[t][1])

        check(item=i, step=t, burn_in=BURN_IN, action=action, reward=sequence[t][2], discount=discounts[t], **CLOSE)
        check(**{"obs s": "", "obs s'": ""})
        np.testing.assert_array_equal(told.transition.obs, sequence[t][0])
        np.testing.assert_array_equal(told.transition.next_obs, sequence[t][3])
        ended = [bool(step[4] or step[5]) for step in sequence]
        columns = told["sequence"]
        assert columns["begins"] == ["anew" if t and ended[t - 1] else "" for t in range(len(sequence))]
        assert columns["t"] == list(range(len(sequence)))
        assert columns["a"] == [step[1] for step in sequence]
        assert columns["r"] == pytest.approx([step[2] for step in sequence], rel=1e-5)
        for name, expected in (("Q(s, a)", estimates), ("td_target", targets), ("td_error", errors)):
            assert columns[name][:BURN_IN] == [""] * BURN_IN
            assert columns[name][BURN_IN:] == pytest.approx(list(expected[BURN_IN:]), **CLOSE)
        check.seen.add("sequence")

        forgetful, _ = online.step(sequence[t][0].astype(float), online.fresh())
        check(q=values[t], q_forgetful=forgetful, q_next=next_q[t], estimate=estimates[t], **CLOSE)
        check(stored_memory=np.linalg.norm(stored[0]), memory=np.linalg.norm(befores[t][0]), **CLOSE)
        check(next_action=int(next_q[t].argmax()), next_value=next_q[t].max(), td_target=targets[t], **CLOSE)
        x = SCALE * errors[t]
        check(td_error=errors[t], scaled_td_error=x, loss=huber(x), slope=-np.clip(x, -1, 1), **CLOSE)
        assert metrics["loss"][RUN] == pytest.approx(
            np.mean([huber(SCALE * error) for one in numbers for error in one[-1][BURN_IN:]]), rel=1e-4
        )
        check(num_steps=LENGTH * BATCH, share=1 / (LENGTH * BATCH))

        # The gradient is that of the agent that is not explained; test_drqn.py holds it against a twin.
        gradient = plain._gradient[RUN].numpy().astype(float)
        place, norm = int(np.abs(gradient).argmax()), metrics["gradient_norm"][RUN]
        old, new = before["online"][RUN].astype(float), after["online"][RUN].astype(float)
        check(gradient_norm=norm, clipped_norm=min(norm, 10.0), learning_rate=0.01, **CLOSE)
        check(change_norm=np.linalg.norm(new - old), parameter=old[place], new_parameter=new[place], **CLOSE)
        g, count = gradient[place], before["optimizer"]["step"] + 1
        m, v = (before["optimizer"][name][RUN, place].astype(float) for name in ("mean", "square"))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        tight = {"rel": 1e-4, "abs": 1e-9}
        check(gradient=g, gradient_mean=m, gradient_square=v, optimizer_steps=count, **tight)
        m, v = m / (1 - 0.9**count), v / (1 - 0.999**count)
        check(corrected_mean=m, corrected_square=v, optimizer_step=0.01 * m / (np.sqrt(v) + 1e-8), **tight)

        again, _, _ = read(Memory(agent._online), sequence, stored)
        check(q_after=again[t], new_q=again[t][action], **CLOSE)
        moved = (again[t][action] - estimates[t]) / errors[t]
        check(moved=moved, rel=0.02, abs=1e-3)
        check.done()
    assert explained > 15
    assert_same(agent.state_dict(), plain.state_dict())


def test_an_item_that_is_not_there():
    agent = make_agent()
    (transition,) = random_steps(1)
    with pytest.raises(SettingsError, match=r"the item must be from 0 to 3, as there are 4 sequences in a batch"):
        explain(agent, transition, item=4)
    assert agent._replay.size == 0
