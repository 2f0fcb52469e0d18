"""Torsos: beside torch.nn.Conv2d, a filter set by hand on a plane that is moved, and bit for bit in any company."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from gridrl_agents.base import Transition
from gridrl_agents.deep.convolutional import NATURE, SMALL, Convolutions, Filters
from gridrl_agents.deep.torsos import make_torso
from gridrl_agents.errors import SettingsError
from gridrl_agents.registry import make


def filled(torso, runs):
    parameters = torch.zeros(runs, torso.num_parameters)
    views = torso.views(parameters)
    for run in range(runs):
        generator = np.random.default_rng(run)
        torso.initialise(views, run, lambda bound, shape, draw=generator.uniform: draw(-bound, bound, shape))
    return parameters, views


def torch_twin(layers, channels, views, run):
    modules = []
    for filters, view in zip(layers, views, strict=True):
        convolution = torch.nn.Conv2d(channels, filters.number, filters.size, filters.stride, filters.border)
        convolution.weight.data, convolution.bias.data = view.weight[run].clone(), view.bias[run].clone()
        modules += [convolution, torch.nn.ReLU()]
        channels = filters.number
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize(
    ("picture", "layers"),
    [
        ((10, 20, 6), SMALL),
        ((5, 7, 5), SMALL),
        ((1, 2, 3), SMALL),
        ((84, 84, 4), NATURE),
        ((36, 51, 3), NATURE),
        ((9, 8, 3), (Filters(16, 4, 3, 2), Filters(32, 2, 1, 0))),
    ],
)
@pytest.mark.parametrize("runs", [1, 3])
def test_numbers_and_gradients_are_torchs(picture, layers, runs):
    batch, torso = 3, Convolutions(picture, layers)
    _, views = filled(torso, runs)
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(runs, batch, -(-torso.num_inputs // 16) * 16, generator=rng)  # what is padded is not read
    activations = torso.activations(views, inputs)
    slope = torch.randn(activations[-1].shape, generator=rng)
    gradient = torch.full((runs, torso.num_parameters), np.nan)
    input_gradient = torso.backward(views, activations, slope.clone(), torso.views(gradient), wants_inputs=True)
    assert activations[-1].shape == (runs, batch, torso.num_outputs)
    assert not gradient.isnan().any()
    for run in range(runs):
        twin = torch_twin(layers, picture[2], views, run)
        pictures = inputs[run, :, : torso.num_inputs].reshape(batch, *picture).clone().requires_grad_()
        output = twin(pictures.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).flatten(1)
        torch.testing.assert_close(activations[-1][run], output, rtol=1e-5, atol=1e-5)
        (output * slope[run]).sum().backward()
        torch.testing.assert_close(input_gradient[run], pictures.grad.flatten(1), rtol=1e-4, atol=1e-4)
        for convolution, view in zip(twin[::2], torso.views(gradient), strict=True):
            torch.testing.assert_close(view.weight[run], convolution.weight.grad, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(view.bias[run], convolution.bias.grad, rtol=1e-4, atol=1e-4)


def test_the_sizes_of_the_paper():
    """Mnih et al. (2015): 84 x 84 x 4 becomes 20 x 20 x 32, 9 x 9 x 64 and 7 x 7 x 64."""
    torso = Convolutions((84, 84, 4), NATURE)
    assert torso.num_outputs == 7 * 7 * 64
    assert torso.num_parameters == (8 * 8 * 4 + 1) * 32 + (4 * 4 * 32 + 1) * 64 + (3 * 3 * 64 + 1) * 64


def test_a_moved_plane_moves_what_is_seen():
    """A filter set by hand looks at the cell to the right on plane 1: it shows the plane moved one to the left."""
    torso = Convolutions((5, 6, 2), (Filters(16, 3, 1, 1),))
    parameters = torch.zeros(1, torso.num_parameters)
    (view,) = torso.views(parameters)
    view.weight[0, 3, 1, 1, 2] = 2.0  # filter 3, plane 1, this row, the next column
    view.bias[0, 3] = 0.5
    seen = {}
    for row, column in ((2, 3), (3, 1), (0, 0), (4, 5)):
        planes = torch.zeros(5, 6, 2)
        planes[row, column, 1] = 1.0
        planes[1, 1, 0] = 1.0  # of another plane, that the filter does not look at
        inputs = torch.zeros(1, 1, 64)
        inputs[0, 0, :60] = planes.flatten()
        seen[row, column] = torso.activations([view], inputs)[-1].view(5, 6, 16)
        expected = torch.full((5, 6), 0.5)
        if column > 0:
            expected[row, column - 1] = 2.5
        torch.testing.assert_close(seen[row, column][:, :, 3], expected)
        assert not seen[row, column][:, :, torch.arange(16) != 3].any()
    torch.testing.assert_close(seen[2, 3].roll((1, -2), (0, 1)), seen[3, 1])


def pictures(*shape, high=255):
    return Box(0, high, shape, np.uint8)


@pytest.mark.parametrize(
    ("name", "space", "outputs"),
    [
        ("auto", pictures(84, 84, 4), 7 * 7 * 64),
        ("auto", pictures(60, 120, 3), 4 * 11 * 64),
        ("auto", pictures(35, 90, 3), 18 * 45 * 32),
        ("auto", pictures(10, 20, 6, high=1), None),
        ("auto", Box(-1, 1, (4,), np.float32), None),
        ("auto", Discrete(7), None),
        ("mlp", pictures(84, 84, 4), None),
        ("conv", pictures(10, 20, 6, high=1), 5 * 10 * 32),
        ("conv", pictures(84, 84, 4), 42 * 42 * 32),
        ("nature", Box(0, 1, (40, 40, 2), np.float32), 1 * 1 * 64),
    ],
)
def test_which_torso(name, space, outputs):
    torso = make_torso(name, space)
    assert (None if torso is None else torso.num_outputs) == outputs


@pytest.mark.parametrize(
    ("settings", "space", "message"),
    [
        ({"torso": "conv"}, Discrete(7), r"torso 'conv' reads observations \[rows, columns, channels\], not Discrete"),
        ({"torso": "nature"}, Box(-1, 1, (4,), np.float32), r"torso 'nature' reads .* take torso 'mlp'"),
        ({"torso": "nature"}, pictures(35, 90, 3), r"35 x 90 is too small for torso 'nature', which needs 36 x 36"),
        ({"torso": "natrue"}, pictures(84, 84, 4), r"unknown torso 'natrue'; did you mean 'nature'"),
    ],
)
def test_what_does_not_suit(settings, space, message):
    with pytest.raises(SettingsError, match=message):
        make("dqn", space, Discrete(2), [0], **settings)


def play(seeds, space, steps, name="dqn", **settings):
    agent = make(name, space, Discrete(3), seeds, min_replay_size=20, replay_capacity=30, **settings)
    worlds = [np.random.default_rng([seed, 99]) for seed in seeds]

    def draw():
        return np.stack([rng.integers(space.high, endpoint=True, dtype=np.uint8) for rng in worlds])

    obs, actions, metrics = draw(), [], []
    for _ in range(steps):
        action, next_obs = agent.act(obs), draw()
        reward, ended = (np.array([rng.random() for rng in worlds]) for _ in range(2))
        metrics.append(
            agent.observe(Transition(obs, action, 100 * reward, next_obs, ended < 0.2, np.zeros(len(seeds), bool)))
        )
        actions.append(action)
        obs = next_obs
    return agent, np.array(actions), metrics, agent.q_values(np.stack([draw() for _ in range(3)], axis=1))


@pytest.mark.parametrize(
    ("space", "settings"),
    [
        (pictures(10, 20, 6, high=1), {"torso": "conv"}),
        (pictures(5, 7, 5, high=1), {"torso": "conv", "batch_size": 5, "hidden_sizes": (), "optimizer": "rmsprop"}),
        (pictures(7, 9, 5, high=1), {"torso": "conv", "batch_size": 7, "dueling": True, "noisy": True, "double": True}),
        (pictures(36, 41, 3), {"batch_size": 3, "hidden_sizes": (24,), "target_update_period": 7}),
        (pictures(20, 24, 3), {"batch_size": 4, "distribution": "quantile"}),
    ],
)
def test_company_makes_no_difference(space, settings):
    settings = {"batch_size": 16, **settings}
    seeds, steps = [3, 9, 4], 45
    alone = {seed: play([seed], space, steps, **settings) for seed in (3, 4)}
    for company in ([4, 3], seeds):
        agent, actions, metrics, values = play(company, space, steps, **settings)
        for k, seed in enumerate(company):
            if seed not in alone:
                continue
            one, its_actions, its_metrics, its_values = alone[seed]
            np.testing.assert_array_equal(actions[:, k], its_actions[:, 0])
            assert values[k].tobytes() == its_values[0].tobytes()
            for here, there in zip(metrics, its_metrics, strict=True):
                assert {name: value[k].tobytes() for name, value in here.items()} == {
                    name: value[0].tobytes() for name, value in there.items()
                }
            for part in ("online", "target"):
                assert agent.state_dict()[part][k].tobytes() == one.state_dict()[part][0].tobytes()


def test_a_picture_is_told_from_its_mirror_image():
    """What no mean colour shows: a bright square on the left pays for action 0, on the right for action 1."""
    space, rng = pictures(12, 12, 3), np.random.default_rng(0)
    agent = make(
        "dqn", space, Discrete(2), [0, 1], torso="conv", hidden_sizes=(32,), reward_scale=1.0, min_replay_size=64,
        replay_capacity=500, epsilon_end=1.0,
    )  # fmt: skip

    def show(side, row, column):
        picture = np.zeros((12, 12, 3), np.uint8)
        picture[row : row + 3, column + 6 * side : column + 6 * side + 3] = 255
        return picture

    for _ in range(500):
        side = rng.integers(2, size=2)
        obs = np.stack([show(one, *rng.integers((9, 3))) for one in side])
        action = agent.act(obs)
        reward, over = np.where(action == side, 1.0, -1.0), np.ones(2, dtype=bool)
        agent.observe(Transition(obs, action, reward, obs, over, ~over))
    places = [(side, row, column) for side in (0, 1) for row in range(0, 9, 2) for column in range(3)]
    values = agent.q_values(np.broadcast_to(np.stack([show(*place) for place in places]), (2, 30, 12, 12, 3)))
    np.testing.assert_array_equal(values.argmax(axis=2), np.broadcast_to([place[0] for place in places], (2, 30)))
