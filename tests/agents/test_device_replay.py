"""A replay on a device draws what the host's draws: on torch's cpu, whose parts are the same, and on a GPU if any."""

import numpy as np
import pytest
import torch

from gridrl_agents.deep.home import HOST
from gridrl_agents.deep.on_device.home import Device
from gridrl_agents.deep.on_device.sum_tree import DeviceSumTree, latest
from gridrl_agents.deep.sum_tree import SumTree

KINDS = ["uniform", "proportional", "rank-based"]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
BATCH = 16

pytestmark = pytest.mark.parametrize("device", DEVICES)


class Pair:
    """The same replay in two homes, driven by the same random steps."""

    def __init__(self, device, kind, capacity, runs, n_step, dtype=torch.uint8):
        settings = {"gamma": 0.9, "batch_size": BATCH, "n_step": n_step}
        if kind != "uniform":
            settings |= {"importance_sampling_steps": 50, "priority_exponent": 0.7}
        seeds, self.shape = range(3, 3 + runs), (runs, 16)
        self.make = lambda home: home.make_replay(kind, capacity, 16, dtype, seeds, **settings)
        self.host, self.device = self.make(HOST), self.make(Device(torch.device(device)))
        self.rng = np.random.default_rng(runs)
        self.rows = self.new_rows()

    def new_rows(self):
        return self.rng.integers(256, size=self.shape).astype(np.uint8)

    def add(self):
        runs, rng, next_rows = self.shape[0], self.rng, self.new_rows()
        action, reward = rng.integers(5, size=runs), rng.normal(size=runs)
        ended, cut = rng.random((2, runs)) < 0.15
        for replay in (self.host, self.device):
            replay.add(self.rows, action, reward, ended, cut, next_rows)
        self.rows = self.new_rows() if self.rng.random() < 0.2 else next_rows

    def sample(self):
        ours, theirs = self.host.sample(), self.device.sample()
        for name in ("obs", "action", "next_obs", "place"):
            np.testing.assert_array_equal(getattr(theirs, name).cpu(), getattr(ours, name), err_msg=name)
        for name in ("reward", "discount", "weight"):
            there, here = getattr(theirs, name).cpu(), getattr(ours, name)
            assert there.dtype == here.dtype
            np.testing.assert_allclose(there, here, rtol=1e-6, err_msg=name)
        return ours, theirs

    def teach(self, ours, theirs):
        priority = np.abs(self.rng.normal(size=ours.place.shape)).astype(np.float32)
        self.host.update_priorities(ours.place, priority)
        self.device.update_priorities(theirs.place, torch.from_numpy(priority).to(theirs.place.device))


def assert_close(one, other, where=""):
    """Hold two states equal: whole numbers exactly, others but for the last bits of a float64."""
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            assert_close(one[name], other[name], f"{where}/{name}")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, where
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=0, err_msg=where)
    else:
        assert one == other, where


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize(("runs", "capacity", "steps"), [(1, 30, 90), (5, 40, 110), (2, 1100, 150)])
def test_the_same_batches_and_state(kind, n_step, runs, capacity, steps, device):
    pair = Pair(device, kind, capacity, runs, n_step)
    for step in range(steps):  # until the ring has been written over, but for the largest: its tree has two levels
        pair.add()
        if step >= 8 and step % 2 == 0:
            pair.teach(*pair.sample())
        if step % 40 == 0:
            np.testing.assert_array_equal(pair.device.look(11).cpu(), pair.host.look(11))
    assert pair.host.size == pair.device.size == min(steps, capacity)
    assert_close(pair.host.state_dict(), pair.device.state_dict())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("to_device", [True, False])
def test_a_state_can_be_loaded_in_the_other_home(kind, to_device, device):
    pair, other = Pair(device, kind, 50, 3, 3), Pair(device, kind, 50, 3, 3)
    for step in range(70):
        pair.add()
        if step >= 8:
            pair.teach(*pair.sample())
    saved = (pair.host if to_device else pair.device).state_dict()
    for replay in (other.host, other.device):
        replay.load_state_dict(saved)
        assert_close(replay.state_dict(), saved)
    for _ in range(30):
        other.add()
        other.teach(*other.sample())


def test_a_state_that_does_not_fit_is_refused(device):
    saved = Pair(device, "proportional", 50, 3, 1)
    saved.add()
    state = saved.device.state_dict()
    with pytest.raises(ValueError, match="expected"):
        Pair(device, "proportional", 50, 2, 1).device.load_state_dict(state)
    with pytest.raises(ValueError, match="at most 20"):
        Pair(device, "proportional", 20, 3, 1).device.load_state_dict({**state, "size": 21})


def test_rows_are_sent_once_and_read_as_they_were(device):
    home = Device(torch.device(device))
    rng = np.random.default_rng(0)
    for dtype in (np.uint8, np.float32, np.int64):
        obs, next_obs = (rng.integers(200, size=(3, 5)).astype(dtype) for _ in range(2))
        numbers = rng.normal(size=(4, 3)).astype(np.float32)
        first = home.rows(obs)
        sent, rows = home.together(numbers, next_obs)
        assert sent.device.type == rows.device.type == device
        np.testing.assert_array_equal(sent.cpu(), numbers)
        np.testing.assert_array_equal(rows.cpu(), next_obs)
        assert home.rows(obs.copy()) is first
        assert home.rows(next_obs.copy()) is rows
        other = home.rows(next_obs + 1)  # an episode began anew
        np.testing.assert_array_equal(other.cpu(), next_obs + 1)


@pytest.mark.parametrize("capacity", [5, 1024, 1025, 40_000])
def test_trees_agree_at_any_depth(capacity, device):
    rng = np.random.default_rng(capacity)
    host, there = SumTree(2, capacity, 8), DeviceSumTree(torch.device(device), 2, capacity, 8)

    def sent(array):
        return torch.from_numpy(array).to(device)

    masses = rng.random((2, capacity)) * (rng.random((2, capacity)) < 0.3)
    host.load(masses)
    there.load(masses)
    for _ in range(50):
        uniform = rng.random((2, 8))
        place = host.draw(uniform)
        np.testing.assert_array_equal(there.draw(sent(uniform)).cpu(), place)
        np.testing.assert_array_equal(there.mass(sent(place)).cpu(), host.mass(place))
        mass = rng.random((2, 8))
        place[:, 3] = place[:, 0]  # the last one counts
        host.set(place, mass)
        there.set(sent(place), latest(sent(place), sent(mass)))
        np.testing.assert_array_equal(there.masses(capacity), host.masses(capacity))


def test_the_latest_of_each_place(device):
    place, value = torch.tensor([[4, 1, 4, 2, 1, 4]], device=device), torch.arange(6.0, device=device)[None]
    assert latest(place, value).tolist() == [[5.0, 4.0, 5.0, 3.0, 4.0, 5.0]]
