"""The LSTM beside torch's own, and the replay of sequences beside a plain list."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete

from gridrl_agents.deep.lstm import LSTM
from gridrl_agents.deep.sequences import SequenceReplay, num_bytes
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make
from gridrl_agents.streams import REPLAY, seed_sequence


def make_lstm(runs, num_inputs, num_units):
    lstm = LSTM(num_inputs, num_units)
    parameters = torch.zeros(runs, lstm.num_parameters)
    weights = lstm.views(parameters)
    for run in range(runs):
        generator = np.random.default_rng(run)
        lstm.initialise(weights, run, lambda bound, shape, draw=generator.uniform: draw(-bound, bound, shape))
    return lstm, parameters, weights


def torch_twin(lstm, weights, run):
    """The same weights in torch.nn.LSTM, whose gates are input, forget, candidate, output."""
    units = lstm.num_units
    twin = torch.nn.LSTM(lstm.num_inputs, units, batch_first=False)

    def gates(part, height):
        own = part[run, :height].unflatten(1, (4, lstm.width))[:, :, :units]
        return own[:, [0, 1, 3, 2]].reshape(height, 4 * units).T.clone()

    twin.weight_ih_l0.data = gates(weights.inputs, lstm.num_inputs)
    twin.weight_hh_l0.data = gates(weights.recurrent, units)
    twin.bias_ih_l0.data = gates(weights.bias, 1)[:, 0]
    twin.bias_hh_l0.data.zero_()
    return twin


@pytest.mark.parametrize(("num_inputs", "num_units"), [(16, 32), (5, 7), (21, 40)])
def test_lstm_is_torchs_with_its_gradients(num_inputs, num_units):
    """Each episode of a sequence is a sequence of its own to torch, and only the first begins from the given state."""
    runs, length, batch = 2, 9, 3
    lstm, parameters, weights = make_lstm(runs, num_inputs, num_units)
    rng = torch.Generator().manual_seed(0)
    padded = -(-num_inputs // 16) * 16
    inputs = torch.zeros(runs, length, batch, padded)
    inputs[..., :num_inputs] = torch.randn(runs, length, batch, num_inputs, generator=rng)
    state = torch.zeros(runs, batch, 2 * lstm.width)
    for half in (0, lstm.width):
        state[..., half : half + num_units] = torch.rand(runs, batch, num_units, generator=rng) - 0.5
    keep = (torch.rand(runs, length, batch, 1, generator=rng) > 0.3).float()
    slope = torch.zeros(runs, length, batch, lstm.width)
    slope[..., :num_units] = torch.randn(runs, length, batch, num_units, generator=rng)

    trace = lstm.unroll(weights, inputs, state, keep)
    gradient = torch.full_like(parameters, np.nan)
    views = lstm.views(gradient)
    input_gradient = lstm.backward(weights, trace, slope.clone(), views)

    for run in range(runs):
        twin = torch_twin(lstm, weights, run)
        read = inputs[run, ..., :num_inputs].clone().requires_grad_()
        total = 0.0
        for b in range(batch):
            hidden = state[run, b, :num_units]
            cell = state[run, b, lstm.width : lstm.width + num_units]
            for t in range(length):
                scale = keep[run, t, b]
                output, (hidden, cell) = twin(read[t : t + 1, b], ((hidden * scale)[None], (cell * scale)[None]))
                hidden, cell = hidden[0], cell[0]
                after = trace.after[run, t, b]
                torch.testing.assert_close(after[:num_units], hidden, rtol=1e-5, atol=1e-6)
                torch.testing.assert_close(after[lstm.width :][:num_units], cell, rtol=1e-5, atol=1e-6)
                total = total + (output[0] * slope[run, t, b, :num_units]).sum()
        total.backward()
        torch.testing.assert_close(input_gradient[run, ..., :num_inputs], read.grad, rtol=1e-4, atol=1e-5)
        expected = torch_twin(lstm, views, run)
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
            torch.testing.assert_close(
                getattr(expected, name).data, getattr(twin, name).grad, rtol=1e-4, atol=1e-5, msg=name
            )
    assert not gradient.isnan().any()
    assert not gradient[parameters == 0].any(), "what is padded gets no gradient"
    assert not trace.after.unflatten(3, (2, lstm.width))[..., num_units:].any(), "and remembers nothing"


@pytest.mark.parametrize("capacity", [20, 64])
def test_replay_of_sequences_is_a_plain_list(capacity):
    """Fifty steps of two runs into rings that wrap and that do not, every draw beside a list of the newest steps."""
    seeds, length, batch = (3, 8), 6, 40
    replay = SequenceReplay(
        capacity, 2, torch.uint8, 4, seeds, gamma=0.75, batch_size=batch, length=length
    )  # fmt: skip
    rng, memory = np.random.default_rng(0), []
    draws = [np.random.default_rng(seed_sequence(seed, REPLAY)) for seed in seeds]
    for number in range(50):
        step = {
            "obs": rng.integers(256, size=(2, 2)),
            "action": rng.integers(4, size=2),
            "reward": rng.integers(-9, 9, size=2).astype(float),
            "terminated": rng.random(2) < 0.2,
            "truncated": rng.random(2) < 0.2,
            "next_obs": rng.integers(256, size=(2, 2)),
            "state": rng.random((2, 4)).astype(np.float32),
        }
        replay.add(**step)
        memory = [*memory, step][-capacity:]
        assert replay.size == len(memory)
        if number < length - 1 or number % 7:
            continue
        steps = replay.sample()
        for run, draw in enumerate(draws):
            for b, begin in enumerate((draw.random(batch) * (len(memory) - length + 1)).astype(int)):
                np.testing.assert_array_equal(steps.state[run, b], memory[begin]["state"][run])
                for t in range(length):
                    expected = {name: value[run] for name, value in memory[begin + t].items()}
                    before = {name: value[run] for name, value in memory[begin + t - 1].items()} if t else None
                    ended_before = before is not None and (before["terminated"] or before["truncated"])
                    assert steps.obs[run, t, b].tolist() == expected["obs"].tolist()
                    assert steps.next_obs[run, t, b].tolist() == expected["next_obs"].tolist()
                    assert steps.action[run, t, b] == expected["action"]
                    assert steps.reward[run, t, b] == expected["reward"]
                    assert steps.discount[run, t, b] == (0.0 if expected["terminated"] else 0.75)
                    assert steps.keep[run, t, b, 0] == (0.0 if ended_before else 1.0)


def test_every_possible_beginning_is_drawn_equally_often():
    """A ring of 12 that has wrapped, sequences of 5: 8 beginnings, 4000 draws, chi-square with 7 degrees of freedom."""
    replay = SequenceReplay(12, 1, torch.uint8, 1, [0], gamma=1.0, batch_size=4000, length=5)
    for number in range(17):
        replay.add(np.full((1, 1), number), *np.zeros((4, 1)), np.zeros((1, 1)), np.zeros((1, 1)))
    first = replay.sample().obs[0, 0, :, 0].numpy()
    values, counts = np.unique(first, return_counts=True)
    assert values.tolist() == list(range(5, 13))
    assert ((counts - 500) ** 2 / 500).sum() < 24.3  # exceeded with probability .001


def test_the_memory_is_known_beforehand():
    replay = SequenceReplay(50, 48, torch.uint8, 64, [0, 1, 2], gamma=1.0, batch_size=4, length=5)
    for _ in range(50):
        replay.add(*np.zeros((1, 3, 48)), *np.zeros((4, 3)), np.zeros((3, 48)), np.zeros((3, 64)))
    assert num_bytes(50, 48, torch.uint8, 64, 3) == sum(kept.nbytes for kept in replay.state_dict()["kept"].values())
    with pytest.raises(SettingsError, match=r"the replay of 1000000000000 steps for each of 2 runs needs \d+\.\d GB"):
        make("drqn", Discrete(3), Discrete(2), [0, 1], replay_capacity=10**12)
