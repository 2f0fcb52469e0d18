"""Agents on a device learn what they learn on the host, and nothing travels that need not.

There may be no GPU here. Torch's cpu stands in for one where numbers are compared, and where there is one it is asked,
too. Where it is asked what travels, the device is torch's "meta", whose tensors have shapes and no numbers: what asks
for a number of them, or mixes them with the host's, fails.
"""

import gc
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch._functorch.config as functorch_config
from gymnasium.spaces import Box, Discrete
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from gridrl_agents.base import Transition
from gridrl_agents.deep import find_home as module
from gridrl_agents.deep.configure import configure_cuda
from gridrl_agents.deep.home import HOST
from gridrl_agents.deep.on_device import home as device_home
from gridrl_agents.deep.on_device.home import Device
from gridrl_agents.deep.on_device.repeated import Repeated, record_graph
from gridrl_agents.deep.recipes import RECIPES
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import agent_names, make

SMALL = {"hidden_sizes": (16,), "batch_size": 8, "min_replay_size": 20, "replay_capacity": 60, "learning_rate": 0.003}
BOUNDS = {"v_min": -5.0, "v_max": 20.0}
EXPLORING = {"epsilon_begin": 1.0, "epsilon_end": 0.05}
POOL = np.random.default_rng(0).integers(2, size=(4, 21)).astype(np.uint8)
PICTURES = np.random.default_rng(0).integers(256, size=(4, 6, 5, 3)).astype(np.uint8)
BOX, PICTURE, STATE = Box(0, 1, (21,), np.uint8), Box(0, 255, (6, 5, 3), np.uint8), Discrete(4)
POOLS = [(BOX, POOL), (PICTURE, PICTURES), (STATE, np.arange(4))]
CASES = {
    **{name: (name, BOX, SMALL) for name in RECIPES},
    "c51": ("c51", BOX, {**SMALL, **BOUNDS}),
    "noisy-dqn": ("noisy-dqn", BOX, {**SMALL, **EXPLORING}),
    "rainbow": ("rainbow", BOX, {**SMALL, **BOUNDS, **EXPLORING, "max_gradient_norm": 0.5}),
    "rank-based": ("per-dqn", STATE, {**SMALL, "replay": "rank-based", "learn_period": 2}),
    "rmsprop": ("dqn", STATE, {**SMALL, "optimizer": "rmsprop", "max_gradient_norm": float("inf")}),
    "pictures": ("dueling-dqn", PICTURE, {**SMALL, "target_update_period": 1, "target_update_rate": 0.1}),
    "drqn": (
        "drqn",
        BOX,
        {"hidden_sizes": (16,), "lstm_size": 8, "batch_size": 4, "sequence_length": 5, "burn_in": 2}
        | {"min_replay_size": 20, "replay_capacity": 60, "stored_state": True, "learn_period": 1},
    ),
}

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
needs_gpu = pytest.mark.skipif(len(DEVICES) == 1, reason="there is no GPU here")
EACH_PART = ["double-dqn", "c51", "qr-dqn", "rank-based", "rmsprop", "pictures", "drqn"]  # but for noise


@pytest.fixture
def home(monkeypatch):
    """Let "cuda" stand for another device, torch's cpu, with the parts of a device."""
    configure_cuda()

    def pretend(device="cpu"):
        homes = {"cpu": lambda: HOST, "cuda": lambda: Device(torch.device(device))}
        monkeypatch.setattr(module, "find_home", lambda name: homes[name]())

    pretend()
    return pretend


def show(space):
    """Return what shows a state of the chain as an observation of `space`."""
    pool = next(shown for known, shown in POOLS if known is space)
    return lambda state: pool[state]


def agent_of(case, device, **others):
    name, space, settings = CASES[case]
    return make(name, space, Discrete(2), (5, 6, 7), device=device, **{**settings, **others})


def history(runs, agent, steps):
    return [runs.step(agent) for _ in range(steps)]


def assert_close(one, other, device="cpu", where=""):
    """Hold equal but for what the device's rounding has become after some dozens of updates."""
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for name in one:
            assert_close(one[name], other[name], device, f"{where}/{name}")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, where
        rtol, atol = {"cpu": (1e-4, 1e-6), "cuda": (5e-3, 1e-4)}[device]
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol, err_msg=where)
    else:
        assert one == other, where


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", CASES)
def test_a_device_changes_nothing_beyond_rounding(case, device, home, chain, make_runs):
    home(device)
    space = CASES[case][1]
    agents = [agent_of(case, device) for device in ("cpu", "cuda")]
    assert [agent._home.name for agent in agents] == ["this machine", device]
    told = [history(make_runs(chain.model(), 3, 13, show(space)), agent, 80) for agent in agents]
    for (action, metrics), (same_action, same_metrics) in zip(*told, strict=True):
        np.testing.assert_array_equal(action, same_action)
        assert_close(metrics, same_metrics, device)
    assert agents[0].num_updates == agents[1].num_updates > 25
    assert agents[0].num_bytes == agents[1].num_bytes > 0
    here, there = (agent.state_dict() for agent in agents)
    assert_close(here, there, device)
    obs = np.stack([show(space)(np.arange(4))] * 3)
    assert_close(agents[0].q_values(obs), agents[1].q_values(obs), device)
    np.testing.assert_array_equal(agents[0].policy(0.3).act(obs), agents[1].policy(0.3).act(obs))
    np.testing.assert_allclose(agents[0].dead_units(), agents[1].dead_units())
    assert_close(*(agent.values_dict() for agent in agents), device)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", ["rainbow", "rank-based", "drqn"])
def test_a_run_can_move(case, device, home, chain, make_runs, assert_same):
    home(device)
    space = CASES[case][1]
    here, there = (agent_of(case, device) for device in ("cpu", "cuda"))
    runs, copy = (make_runs(chain.model(), 3, 13, show(space)) for _ in range(2))
    history(runs, here, 77)
    saved = here.state_dict()
    there.load_state_dict(saved)
    assert_same(there.state_dict(), saved)
    copy.state[:], copy.age[:] = runs.state, runs.age
    for (action, metrics), (same_action, same_metrics) in zip(
        history(runs, here, 60), history(copy, there, 60), strict=True
    ):
        np.testing.assert_array_equal(action, same_action)
        assert_close(metrics, same_metrics, device)
    again = agent_of(case, "cpu")
    again.load_state_dict(there.state_dict())
    assert_same(again.state_dict(), there.state_dict())


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", ["rainbow", "rank-based", "drqn"])
def test_a_run_that_broke_is_taken_out(case, device, home, chain, make_runs):
    home(device)
    space = CASES[case][1]
    agents = [agent_of(case, "cuda") for _ in range(2)]
    worlds = [make_runs(chain.model(), 3, 13, show(space)) for _ in agents]
    for agent, world in zip(agents, worlds, strict=True):
        history(world, agent, 50)
    broken = agents[1]
    broken._online.parameters[1] = np.nan
    before, after = (history(world, agent, 3) for agent, world in zip(agents, worlds, strict=True))
    assert np.isnan([metrics["loss"][1] for _, metrics in after if metrics]).all()
    assert len(broken.last_batch(1)["reward"]) > 0
    broken.retire(1)
    before, after = (history(world, agent, 40) for agent, world in zip(agents, worlds, strict=True))
    is_exact = (case, device) != ("rainbow", "cuda")  # whose sums into the same place have no fixed order
    same = np.testing.assert_array_equal if is_exact else partial(np.testing.assert_allclose, rtol=5e-3, atol=1e-4)
    for (action, metrics), (same_action, same_metrics) in zip(before, after, strict=True):
        np.testing.assert_array_equal(action[[0, 2]], same_action[[0, 2]])
        for name, values in metrics.items():
            same(values[[0, 2]], same_metrics[name][[0, 2]], err_msg=name)
    for part in ("online", "target"):
        states = [agent.state_dict()[part] for agent in agents]
        same(states[0][[0, 2]], states[1][[0, 2]])
        assert np.isfinite(states[1]).all()


class Travels(TorchDispatchMode):
    """Counts the copies between devices, and fails where the host waits for a number."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        tensors = [value for value in (*args, result) if isinstance(value, torch.Tensor)]
        indices = [value for part in args if isinstance(part, list | tuple) for value in part]
        tensors += [value for value in indices if isinstance(value, torch.Tensor)]
        self.count += len({tensor.device for tensor in tensors}) > 1
        return result


@pytest.fixture
def travels(home, monkeypatch):
    """Yield a count of travels to and from a device without numbers."""
    home("meta")
    monkeypatch.setattr(device_home, "saved", lambda tensor: np.zeros(tensor.cpu().shape, dtype=np.float32))
    with functorch_config.patch(fake_tensor_allow_meta=True), FakeTensorMode(), Travels() as mode:
        yield mode


def test_the_device_without_numbers_finds_what_it_should(travels):
    there, here = torch.zeros(3, device="meta"), torch.zeros(3)
    with pytest.raises(DataDependentOutputException):
        float(there.sum())
    with pytest.raises(DataDependentOutputException):
        bool(there[0] > 0)
    with pytest.raises(RuntimeError, match=r"two (different )?devices"):
        there + here
    with pytest.raises(RuntimeError, match="numpy"):
        there.numpy()
    assert travels.count == 0
    there.copy_(here)
    there.cpu()
    here.to("meta")
    there[torch.arange(2)]
    there[:2] = here[:2]
    assert travels.count == 5


def count_blocks(agent):
    """Return a list that grows with each block of random numbers that is sent: one in many steps."""
    blocks = []
    for part in (agent._replay, getattr(agent._replay, "_sampler", None), agent._online, agent._target):
        streams = getattr(part, "_streams", None)
        if streams is not None:
            draw = streams._draw_block
            streams._draw_block = lambda size, draw=draw: (blocks.append(size), draw(size))
    return blocks


@pytest.mark.parametrize("case", [*EACH_PART, "rainbow"])
def test_a_step_travels_once(case, travels):
    shorter = {"sequence_length": 2, "burn_in": 1} if case == "drqn" else {}
    few = {"batch_size": 3, "min_replay_size": 4, "replay_capacity": 6, "learn_period": 1, **shorter}  # it is slow work
    agent, look = agent_of(case, "cuda", **few), show(CASES[case][1])
    blocks = count_blocks(agent)
    state, none, is_new = np.array([0, 1, 3]), np.zeros(3, dtype=bool), True
    for step in range(6):
        before = travels.count - len(blocks)
        ended = np.array([step % 3 == 1, False, step % 5 == 2])
        to = (state + 1) % 4
        agent.act(look(state))
        metrics = agent.observe(Transition(look(state), none.astype(int), np.ones(3), look(to), ended, none))
        assert all(value.shape == (3,) for value in metrics.values())
        forgets = case == "drqn" and ended.any()  # which runs are to forget is told apart
        # What the step brought, its values, its metrics; and where an episode has ended, what the new one shows.
        assert travels.count - len(blocks) - before == 1 + 1 + bool(metrics) + is_new + forgets, step
        state, is_new = np.where(ended, (to + 1) % 4, to), ended.any()
    assert agent.num_updates == 3
    assert len(blocks) <= 4  # the first of each stream, and one more of noise: a block is good for 16 draws


class Tape(TorchDispatchMode):
    """Stands in for a CUDA graph: notes the operations on tensors, and does them again on the very same tensors."""

    def __init__(self):
        super().__init__()
        self.done = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.done.append((function, args, kwargs or {}, function(*args, **(kwargs or {}))))
        return self.done[-1][-1]

    def replay(self):
        for function, args, kwargs, results in self.done:
            for here, again in zip(listed(results), listed(function(*args, **kwargs)), strict=True):
                if here.data_ptr() != again.data_ptr():  # it is neither a view nor in place
                    here.copy_(again)


def listed(results):
    """Return the tensors among what an operation returns: one, several or none."""
    results = results if isinstance(results, list | tuple) else [results]
    return [result for result in results if isinstance(result, torch.Tensor)]


@pytest.mark.parametrize("case", EACH_PART)
def test_a_recorded_step_is_the_step(case, chain, make_runs, monkeypatch, assert_same, home):
    plain = agent_of(case, "cuda")
    tapes = []

    def record(step):
        changed = tensors_of(recorded)
        before = [tensor.clone() for tensor in changed]
        with Tape() as tape:
            result = step()
        for tensor, value in zip(changed, before, strict=True):
            tensor.copy_(value)  # a graph is recorded without being run
        tapes.append(tape)
        return tape.replay, result

    monkeypatch.setattr(Device, "repeated", lambda self, step: Repeated(step, record))
    recorded = agent_of(case, "cuda")
    space = CASES[case][1]
    told = [history(make_runs(chain.model(), 3, 13, show(space)), agent, 40) for agent in (plain, recorded)]
    for (action, metrics), (same_action, same_metrics) in zip(*told, strict=True):
        np.testing.assert_array_equal(action, same_action)
        assert_same(metrics, same_metrics)
    assert_same(plain.state_dict(), recorded.state_dict())
    assert len(tapes) == 1
    assert recorded.num_updates > 9


@needs_gpu
@pytest.mark.parametrize("case", EACH_PART)
def test_a_graph_of_a_gpu_is_the_step(case, home, chain, make_runs, monkeypatch, assert_same):
    home("cuda")
    with monkeypatch.context() as changed:
        changed.setattr(Device, "repeated", lambda self, step: step)
        plain = agent_of(case, "cuda")
    replayed = agent_of(case, "cuda")
    space = CASES[case][1]
    told = [history(make_runs(chain.model(), 3, 13, show(space)), agent, 60) for agent in (plain, replayed)]
    assert replayed._step._result is not None
    assert not isinstance(plain._step, Repeated)
    if case == "c51":  # sums into the same place have no fixed order
        return
    for (action, metrics), (same_action, same_metrics) in zip(*told, strict=True):
        np.testing.assert_array_equal(action, same_action)
        assert_same(metrics, same_metrics)
    assert_same(plain.state_dict(), replayed.state_dict())


def tensors_of(agent):
    """Return what a step of learning changes."""
    moments = [value for value in vars(agent._optimizer).values() if isinstance(value, torch.Tensor)]
    return [agent._gradient, *moments]  # the parameters are among the optimizer's


def test_only_cuda_devices_have_graphs():
    assert HOST.repeated(print) is Device(torch.device("cpu")).repeated(print) is print
    assert isinstance(Device(torch.device("cuda:1")).repeated(print), Repeated)


class Garbage:
    """Something in a circle, so that only the collector ends it; tells when it does."""

    def __init__(self, ends):
        self.itself, self.ends = self, ends

    def __del__(self):
        self.ends.append("ended")


def test_no_old_graph_ends_while_one_is_recorded(monkeypatch):
    """CUDA gives up a recording in which another graph is destroyed, as that of an agent that nobody needs any more."""
    ends, ends_meanwhile = [], []
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: SimpleNamespace(replay=None))
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, **settings: nullcontext())

    def step():
        Garbage(ends_meanwhile)
        [[] for _ in range(10_000)]  # more than it takes to set the collector going
        return list(ends_meanwhile)

    threshold = gc.get_threshold()
    gc.disable()
    try:
        Garbage(ends)
        record_graph(torch.device("cuda"), lambda: ends.append("recorded"))
        assert ends == ["ended", "recorded"]
        assert not gc.isenabled(), "as it was before"
        gc.set_threshold(100, 1, 1)
        gc.enable()
        assert record_graph(torch.device("cuda"), step)[1] == []
        assert gc.isenabled()
        with pytest.raises(ZeroDivisionError):
            record_graph(torch.device("cuda"), lambda: 1 / 0)
        assert gc.isenabled()
    finally:
        gc.set_threshold(*threshold)
        gc.enable()


def test_noise_is_never_recorded(home, monkeypatch):
    monkeypatch.setattr(Device, "repeated", lambda self, step: pytest.fail("noise must be drawn anew"))
    agent_of("noisy-dqn", "cuda")
    with pytest.raises(pytest.fail.Exception, match="drawn anew"):  # a network without noise asks for it
        agent_of("dqn", "cuda")


def test_devices_that_cannot_be_had():
    def refused(name="dqn", **settings):
        with pytest.raises(SettingsError) as error:
            make(name, BOX, Discrete(2), [0], **settings)
        return str(error.value)

    for device in ("gpu", "cuda:", "cuda:x", "mps", 0, None):
        assert refused(device=device).startswith("device must be 'cpu', 'cuda' or 'cuda:' and a number, not")
    moving = {name for name in agent_names() if make_is_willing(name)}
    assert moving == {*RECIPES, "drqn"}
    assert "fitted-q learns on the cpu alone, not on 'cuda:1'; leave the device out" in refused(
        "fitted-q", device="cuda:1"
    )


def make_is_willing(name):
    try:
        make(name, BOX, Discrete(2), [0], device="cuda", replay_capacity=0)
    except SettingsError as error:
        return "cpu alone" not in str(error)


def test_a_torch_without_cuda_is_told_of(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="install a CUDA build of torch"):
        make("dqn", BOX, Discrete(2), [0], device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    with pytest.raises(SettingsError, match="'cuda:0' to 'cuda:1' on this machine, not 'cuda:2'"):
        make("dqn", BOX, Discrete(2), [0], device="cuda:2")
    assert module.find_home("cuda").device == torch.device("cuda:1")
    assert module.find_home("cuda:0").device == torch.device("cuda:0")
    assert module.find_home("cpu") is HOST


def test_products_are_not_rounded_to_ten_bits():
    configure_cuda()
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.parametrize("case", ["dqn", "rank-based", "drqn"])
def test_a_device_that_is_too_small_is_told_of(case, home, monkeypatch):
    monkeypatch.setattr(Device, "memory", lambda self: 1e4)
    with pytest.raises(SettingsError, match="cpu cannot give it; lower replay_capacity"):
        agent_of(case, "cuda")
