"""The replay's ring beside a naive list; uniform draws; memory; and what all ways of drawing have in common."""

import numpy as np
import pytest
import torch
from scipy import stats

from gridrl_agents.deep import make_replay as module
from gridrl_agents.deep.make_replay import make_replay, num_bytes
from gridrl_agents.errors import SettingsError

KINDS = ["uniform", "proportional", "rank-based"]


def small(kind, capacity, seeds=(4, 9), batch_size=6, **settings):
    return make_replay(kind, capacity, 16, torch.float32, seeds, gamma=0.9, batch_size=batch_size, **settings)


def step(rng, number, seeds):
    """One transition of each run, drawn from the run's own generator; `number` and the run can be read off obs."""
    own = [generator.random(4) for generator in rng]
    marked = number + 0.001 * np.array(seeds, float)[:, None].repeat(16, axis=1)
    return {
        "obs": marked,
        "action": np.array([int(draw[0] * 4) for draw in own]),
        "reward": np.array([draw[1] for draw in own], np.float32),
        "terminated": np.array([draw[2] < 0.2 for draw in own]),
        "truncated": np.array([draw[3] < 0.2 for draw in own]),
        "next_obs": -marked,
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("capacity", [1, 7, 40])
def test_replay_against_a_list(kind, capacity):
    """Random adds, samples and saves beside a naive list that drops its oldest; each sample is one of the list's."""
    rng = np.random.default_rng(capacity)
    replay, kept = small(kind, capacity), []
    for number in range(200):
        transition = step([rng, rng], number, (0, 1))
        replay.add(**transition)
        kept = [*kept, transition][-capacity:]
        assert replay.size == len(kept)
        if rng.random() < 0.1:
            other = small(kind, capacity)
            other.load_state_dict(replay.state_dict())
            replay = other
        if rng.random() < 0.5:
            batch = replay.sample()
            assert batch.place.shape == (2, 6)
            assert batch.weight.dtype == batch.reward.dtype == batch.discount.dtype == torch.float32
            by_number = {int(each["obs"][0, 0]): each for each in kept}
            for run in range(2):
                for b in range(6):
                    expected = by_number[int(batch.obs[run, b, 0])]
                    np.testing.assert_array_equal(batch.obs[run, b], expected["obs"][run].astype(np.float32))
                    np.testing.assert_array_equal(batch.next_obs[run, b], expected["next_obs"][run].astype(np.float32))
                    assert batch.action[run, b] == expected["action"][run]
                    assert batch.reward[run, b] == expected["reward"][run]
                    assert float(batch.discount[run, b]) == pytest.approx(0.0 if expected["terminated"][run] else 0.9)
            replay.update_priorities(batch.place, rng.random((2, 6)))


def test_uniform_draws_evenly_with_weights_of_one():
    """Chi-square over 12 000 draws of 10 transitions that have wrapped round; p below 1e-4 is a fault."""
    replay = small("uniform", 10, batch_size=60)
    for number in range(13):
        replay.add(**step([np.random.default_rng(0)] * 2, number, (0, 1)))
    batches = [replay.sample() for _ in range(200)]
    assert all(torch.equal(batch.weight, torch.ones(2, 60)) for batch in batches)
    draws = torch.cat([batch.obs[..., 0] for batch in batches], dim=1).numpy().astype(int)
    for run in range(2):
        counts = np.bincount(draws[run], minlength=13)
        assert counts[:3].sum() == 0
        assert stats.chisquare(counts[3:]).pvalue > 1e-4
    assert (draws[0] != draws[1]).any()


def played(kind, seeds, steps=400, capacity=150, n_step=1, reloads=False, batch_size=8):
    """Return all batches of a replay in use, and its final state; priorities are a function of what was drawn."""
    replay = small(kind, capacity, seeds, batch_size=batch_size, n_step=n_step, importance_sampling_steps=100)
    rng = [np.random.default_rng(seed) for seed in seeds]
    batches = []
    for number in range(steps):
        replay.add(**step(rng, number, seeds))
        if number >= 20 and number % 2:
            batch = replay.sample()
            batches.append(batch)
            replay.update_priorities(batch.place, torch.abs(torch.sin(batch.obs[..., 0] * 7 + number)))
        if reloads and number in (3, 90, 149, 150, 151, 301):
            state = replay.state_dict()
            replay = small(kind, capacity, seeds, batch_size=batch_size, n_step=n_step, importance_sampling_steps=100)
            for _ in range(5):
                replay.add(**step([np.random.default_rng(1)] * len(seeds), 1000, seeds))  # all of it is to go
            replay.load_state_dict(state)
    return batches, replay.state_dict()


def assert_same_bytes(left, right):
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_same_bytes(left[key], right[key])
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes()
    else:
        assert left == right


@pytest.mark.parametrize("n_step", [1, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_replay_goes_on_to_the_same_bytes(kind, n_step):
    batches, state = played(kind, (3, 5), n_step=n_step)
    again, its_state = played(kind, (3, 5), n_step=n_step, reloads=True)
    for one, other in zip(batches, again, strict=True):
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)
    assert_same_bytes(state, its_state)


@pytest.mark.parametrize("n_step", [1, 9])
@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_company_makes_no_difference(kind, batch_size, n_step):
    """Run k's batches are to the last bit those of the same seed alone; 2100 places make a tree of two levels."""
    sizes = {"steps": 600, "capacity": 2100, "n_step": n_step, "batch_size": batch_size}
    together, _ = played(kind, (3, 5, 11), **sizes)
    for run, seed in enumerate((3, 5, 11)):
        alone, _ = played(kind, (seed,), **sizes)
        for one, other in zip(together, alone, strict=True):
            for left, right in zip(one, other, strict=True):
                assert np.asarray(left)[run].tobytes() == np.asarray(right)[0].tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_states_of_another_size_are_refused(kind):
    _, state = played(kind, (3, 5))
    for seeds, capacity in [((3, 5), 149), ((3,), 150), ((3, 5, 7), 150)]:
        with pytest.raises(ValueError, match=r"expected|shorter|longer"):
            small(kind, capacity, seeds).load_state_dict(state)


@pytest.mark.parametrize("kind", KINDS)
def test_memory_is_told_in_advance(kind):
    """`num_bytes` beside the arrays that are there once the replay is full and has been drawn from."""
    capacity, seeds = 5000, (1, 2, 3)
    replay = make_replay(kind, capacity, 48, torch.uint8, seeds, gamma=0.9, batch_size=4)
    zeros = np.zeros(3)
    for _ in range(capacity):
        replay.add(np.zeros((3, 48)), zeros, zeros, zeros, zeros, np.zeros((3, 48)))
    replay.sample()
    seen, total, queue = set(), 0, [replay]
    while queue:  # every array that the replay holds on to, once
        part = queue.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, np.ndarray):
            total += part.nbytes if part.base is None else 0
            queue += [part.base]
        elif isinstance(part, dict):
            queue += part.values()
        elif isinstance(part, list | tuple):
            queue += part
        elif type(part).__module__.startswith("gridrl_agents") and "treams" not in type(part).__name__:
            queue += vars(part).values()
    assert num_bytes(kind, capacity, 48, torch.uint8, 3) == pytest.approx(total, rel=0.01)


def test_numbers_of_bytes_by_hand():
    """dense-v0: 320 bytes an observation; 2 * 320 + 8 + 4 + 4 + 1 = 657 a transition."""
    assert num_bytes("uniform", 20_000, 320, torch.uint8, 4) == 657 * 20_000 * 4
    assert num_bytes("uniform", 10, 4, torch.float32, 1) == (2 * 16 + 17) * 10


@pytest.mark.parametrize("kind", KINDS)
def test_too_much_memory_is_refused_in_one_sentence(kind, monkeypatch):
    sentence = (
        r"^the replay of 20000 transitions for each of 2 runs needs 0\.0 GB of memory and this machine cannot give it; "
        r"lower replay_capacity or the number of seeds\.$"
    )
    with monkeypatch.context() as patch:
        patch.setattr(module, "physical_memory", lambda: 5e6)
        with pytest.raises(SettingsError, match=sentence):
            small(kind, 20_000)
    monkeypatch.setattr(module, "physical_memory", lambda: float("inf"))
    with pytest.raises(SettingsError, match=r"needs [\d.]+ GB of memory"):
        small(kind, 10**15)  # numpy refuses


def test_unknown_kinds_are_refused():
    with pytest.raises(SettingsError, match="did you mean 'proportional'"):
        small("proportionate", 10)
