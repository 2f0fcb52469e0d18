"""C51: the projection by hand and beside a naive loop, the loss and its gradient, what the support must be."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Discrete

from gridrl_agents.base import Transition
from gridrl_agents.deep.categorical import Categorical, project
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make


def naive(atoms, probability, support):
    """Each probability goes to the two neighbours of its atom: a loop with comparisons, no division into steps."""
    projected = np.zeros(len(support))
    for atom, p in zip(np.clip(atoms, support[0], support[-1]), probability, strict=True):
        upper = next(i for i, z in enumerate(support) if z >= atom)
        if support[upper] == atom:
            projected[upper] += p
        else:
            share = (atom - support[upper - 1]) / (support[upper] - support[upper - 1])
            projected[upper] += p * share
            projected[upper - 1] += p * (1 - share)
    return projected


def test_projection_by_hand():
    """Support 0 1 2 3 4. Atoms -7, 0, 1.25, 3 and 9: beyond an end, on the end, between, on an atom, beyond."""
    atoms, probability = torch.tensor([-7, 0, 1.25, 3, 9]), torch.tensor([0.1, 0.2, 0.4, 0.2, 0.1])
    projected = project(atoms, probability, 0.0, 4.0, 5)
    np.testing.assert_allclose(projected, [0.1 + 0.2, 0.3, 0.1, 0.2, 0.1], rtol=1e-6)


def test_projection_beside_a_naive_loop():
    """Random atoms, some on the support's own atoms, some beyond the ends; float32 rounds to 1e-7 of up to 51 terms."""
    rng = np.random.default_rng(0)
    low, high, count = -3.0, 5.0, 17  # steps of a half: atoms can be met exactly
    support = np.linspace(low, high, count)
    atoms = rng.uniform(low - 2, high + 2, (6, 7, 51))
    on = rng.random(atoms.shape) < 0.4
    atoms[on] = rng.choice(support, on.sum())
    probability = rng.dirichlet(np.ones(51), (6, 7))
    projected = project(*(torch.from_numpy(x.astype(np.float32)) for x in (atoms, probability)), low, high, count)
    for run, b in np.ndindex(6, 7):
        np.testing.assert_allclose(projected[run, b], naive(atoms[run, b], probability[run, b], support), atol=2e-6)


@pytest.mark.parametrize("bounds", [(-12.0, 41.0), (-0.7, 0.9), (0.0, 1.0)])
def test_mass_and_mean_are_kept(bounds):
    """Also for discount 1 and reward 0, where each atom falls on itself, and for whole steps of reward."""
    learned = Categorical(*bounds, 51)
    step = float(learned.support[1] - learned.support[0])
    probability = torch.from_numpy(np.random.default_rng(1).dirichlet(np.ones(51), 40).astype(np.float32))
    for shift in (0.0, step, -3 * step, 0.3 * step):
        inside = probability.clone()
        inside[:, :4] = inside[:, -4:] = 0.0
        inside /= inside.sum(dim=1, keepdim=True)
        projected = project(learned.support + torch.full((40, 1), shift), inside, *bounds, 51)
        np.testing.assert_allclose(projected.sum(dim=1), 1.0, rtol=1e-5)
        span = bounds[1] - bounds[0]
        mean = (inside * learned.support).sum(dim=1) + shift
        np.testing.assert_allclose((projected * learned.support).sum(dim=1), mean, atol=1e-5 * span)
        everything = project((learned.support * 3 + shift).expand(40, 51), probability, *bounds, 51)
        np.testing.assert_allclose(everything.sum(dim=1), 1.0, rtol=1e-5)


def test_no_bounds_are_rounded_out_of_the_support():
    """The ends of 2000 random supports, their atoms beyond the ends by rounding: no mass is lost, none is negative."""
    rng = np.random.default_rng(2)
    probability = torch.full((1, 4), 0.25)
    for low, span, count in zip(
        rng.normal(size=2000), rng.uniform(0.01, 9, 2000), rng.integers(2, 99, 2000), strict=True
    ):
        atoms = torch.tensor([[low, low + span, np.nextafter(low, -9), np.nextafter(low + span, 99)]]).float()
        projected = project(atoms, probability, low, low + span, count)
        assert float(projected.min()) >= 0.0
        assert float(projected.sum()) == pytest.approx(1.0, rel=1e-6)
        assert float(projected[0, 0] + projected[0, -1]) == pytest.approx(1.0, abs=1e-3)


def test_a_sure_future_by_hand():
    """Support -1 0 1. Next: all on 1. Reward -.5, discount 1: .5, half on 0 and half on 1.

    Estimate (1/4, 1/2, 1/4): cross-entropy (ln 2 + ln 4) / 2, less the target's entropy ln 2: KL = (ln 4 - ln 2) / 2.
    """
    learned = Categorical(-1.0, 1.0, 3)
    estimate = torch.tensor([[[0.25, 0.5, 0.25]]]).log()
    following = torch.tensor([[[-200.0, -200.0, 0.0]]])
    lesson = learned.lesson(estimate, following, torch.tensor([[-0.5]]), torch.tensor([[1.0]]))
    assert lesson.loss.item() == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert lesson.priority.item() == pytest.approx(np.log(2) / 2)
    np.testing.assert_allclose(lesson.gradient[0, 0], [0.25, 0.5 - 0.5, 0.25 - 0.5], atol=1e-6)
    assert lesson.metrics["clipped_mass"].item() == 0.0
    assert learned.q_values(following).item() == pytest.approx(1.0)
    assert learned.q_values(estimate).item() == pytest.approx(0.0, abs=1e-6)
    # An end of the episode leaves the reward alone, whatever the future was thought to be.
    lesson = learned.lesson(estimate, following, torch.tensor([[1.0]]), torch.tensor([[0.0]]))
    np.testing.assert_allclose(lesson.gradient[0, 0], [0.25, 0.5, -0.75], atol=1e-6)


def test_clipped_mass():
    """Support 0 to 4; the future is even on it. Reward 1.5: 2.5 and 3.5 stay, 4.5 and 5.5 are beyond; .75 + ..."""
    learned = Categorical(0.0, 4.0, 5)
    even = torch.zeros(1, 2, 5)
    lesson = learned.lesson(even, even, torch.tensor([[1.5, -0.5]]), torch.tensor([[1.0, 0.0]]))
    np.testing.assert_allclose(lesson.metrics["clipped_mass"], [[2 / 5, 1.0]], rtol=1e-6)


def test_the_support_is_in_units_of_reward():
    """One reward of 250 for ever after in one step: with a support to 300 it is learned, with one to 200 it is not."""
    for top, learned in ((300.0, 250.0), (200.0, 200.0)):
        agent = make(
            "c51", Discrete(1), Discrete(1), [0], return_bounds=(0.0, top), hidden_sizes=(), batch_size=4,
            min_replay_size=4, learning_rate=0.1, num_atoms=25,
        )  # fmt: skip
        for _ in range(200):
            metrics = agent.observe(Transition(*(np.array([x]) for x in (0, 0, 250.0, 0, True, False))))
        assert agent.q_values(np.zeros((1, 1), dtype=int))[0, 0, 0] == pytest.approx(learned, abs=3)
        assert metrics["clipped_mass"][0] == pytest.approx(float(top == 200), abs=1e-6)


def test_the_support_must_be_known():
    def c51(**settings):
        return make("c51", Discrete(2), Discrete(2), [0], **settings)

    with pytest.raises(SettingsError, match=r"must know which returns are possible.*set v_min and v_max"):
        c51()
    with pytest.raises(SettingsError, match=r"must know which returns"):
        c51(v_min=3)
    with pytest.raises(SettingsError, match=r"v_min must be below v_max, not 3 and 2"):
        c51(v_min=3, return_bounds=(0, 2))
    with pytest.raises(SettingsError, match=r"v_min must be below v_max, not 0 and 0; set v_min and v_max"):
        c51(return_bounds=(0, 0))
    with pytest.raises(SettingsError, match=r"v_min must be below v_max, not 3 and 2; correct one"):
        c51(v_min=3, v_max=2)
    with pytest.raises(SettingsError, match=r"the lowest and the highest return, not \(2, 1\)"):
        c51(return_bounds=(2, 1))
    # The reward is scaled by .01, and so is the support; what is shown is in units of reward.
    agent = c51(v_min=-500, return_bounds=(0, 2))
    np.testing.assert_allclose(agent._learned.support[[0, -1]], [-5.0, 0.02], rtol=1e-6)
