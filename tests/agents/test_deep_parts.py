"""The parts of deep agents, each against an independent twin."""

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from gridrl_agents.deep.adam import Adam
from gridrl_agents.deep.clipping import clip_norms_
from gridrl_agents.deep.encoder import make_encoder, pad
from gridrl_agents.deep.layers import Layers
from gridrl_agents.deep.losses import huber, squared
from gridrl_agents.deep.network import PlainNetwork


def test_padding():
    assert [pad(size) for size in (1, 16, 17, 310)] == [16, 16, 32, 320]


def test_box_encoder_keeps_the_support():
    support = np.array([[True, False, True], [False, True, True]])
    encoder = make_encoder(Box(0, 1, (2, 3), np.uint8), support)
    obs = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    rows = encoder.encode(obs)
    assert rows.dtype == np.uint8
    assert rows.shape == (2, 2, 16)
    np.testing.assert_array_equal(rows[1, 0, :4], [12, 14, 16, 17])
    assert not rows[..., 4:].any()
    inputs = encoder.inputs(torch.from_numpy(rows))
    assert inputs.dtype == torch.float32
    np.testing.assert_array_equal(inputs[0, 1, :4], [6, 8, 10, 11])


def test_pixels_become_fractions_and_floats_stay():
    pixels = make_encoder(Box(0, 255, (3,), np.uint8))
    rows = pixels.encode(np.array([[[0, 51, 255]]], dtype=np.uint8))
    np.testing.assert_allclose(pixels.inputs(torch.from_numpy(rows))[0, 0, :3], [0, 0.2, 1])
    floats = make_encoder(Box(-np.inf, np.inf, (3,), np.float64))
    rows = floats.encode(np.array([[[-1e3, 0.1, 7]]]))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(
        floats.inputs(torch.from_numpy(rows))[0, 0, :3], np.array([-1e3, 0.1, 7], dtype=np.float32)
    )


def test_discrete_encoder_is_one_hot():
    encoder = make_encoder(Discrete(20, start=3))
    rows = encoder.encode(np.array([[3, 22], [10, 4]]))
    assert rows.shape == (2, 2, 1)
    inputs = encoder.inputs(torch.from_numpy(rows)).numpy()
    assert inputs.shape == (2, 2, 32)
    np.testing.assert_array_equal(inputs.argmax(axis=2), [[0, 19], [7, 1]])
    np.testing.assert_array_equal(inputs.sum(axis=2), np.ones((2, 2)))


WIDTHS = (37, 20, 24, 5)


def make_network(seeds=(0, 1, 2), live=None):
    live = np.arange(37) if live is None else live
    network = PlainNetwork(len(seeds), Layers((live.size, *WIDTHS[1:]), num_inputs=37, live=live))
    network.initialise(seeds)
    return network


def twin_of(network, run, widths=WIDTHS):
    """The same network of one run in torch.nn."""
    modules = []
    for number, layer in enumerate(network.views(network.parameters)):
        fan_in, fan_out = widths[number : number + 2]
        linear = torch.nn.Linear(fan_in, fan_out)
        linear.weight.data = layer.weight[run, :fan_in, :fan_out].T.clone()
        linear.bias.data = layer.bias[run, 0, :fan_out].clone()
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def test_network_against_torch_nn():
    """Outputs and gradients; both sides round float32 sums of at most 37 terms of order 1, so 1e-5 is ample."""
    network = make_network()
    inputs = torch.zeros(3, 9, 48)
    inputs[..., :37] = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 9, 37)))
    output_gradient = torch.zeros(3, 9, 16)
    output_gradient[..., :5] = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 9, 5)))
    gradient = torch.zeros_like(network.parameters)
    views = network.views(gradient)
    activations = network.activations(inputs)
    network.backward(activations, output_gradient, views)
    assert torch.equal(network(inputs), activations[-1])
    counted = 0
    for run in range(3):
        twin = twin_of(network, run)
        output = twin(inputs[run, :, :37])
        torch.testing.assert_close(activations[-1][run, :, :5], output, atol=1e-5, rtol=1e-5)
        (output * output_gradient[run, :, :5]).sum().backward()
        for number, view in enumerate(views):
            fan_in, fan_out = WIDTHS[number : number + 2]
            linear = twin[2 * number]
            torch.testing.assert_close(view.weight[run, :fan_in, :fan_out], linear.weight.grad.T, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(view.bias[run, 0, :fan_out], linear.bias.grad, atol=1e-5, rtol=1e-5)
            counted += linear.weight.grad.count_nonzero() + linear.bias.grad.count_nonzero()
    assert gradient.count_nonzero() == counted  # padding gets none


def test_initial_weights():
    """Uniform within 1 / sqrt(fan_in): extremes near the bound, the variance a third of its square within 5 %."""
    network = PlainNetwork(2, Layers((100, 200, 4), num_inputs=900, live=np.arange(0, 900, 9)))
    network.initialise((0, 1))
    layers = network.views(network.parameters)
    for layer, fan_in, rows, columns in zip(layers, (900, 200), (100, 200), (200, 4), strict=True):
        drawn = torch.cat([layer.weight[0, :rows, :columns].flatten(), layer.bias[0, 0, :columns]])
        bound = fan_in**-0.5
        assert 0.98 * bound < float(drawn.abs().max()) <= bound
        if drawn.numel() > 10_000:
            assert float(drawn.var()) == pytest.approx(bound**2 / 3, rel=0.05)
    assert not torch.equal(network.parameters[0], network.parameters[1])


def test_support_only_inputs_equal_full_inputs():
    """Where the other inputs are zero: same outputs, same gradients where inputs live, but for the order of sums."""
    live = np.arange(0, 37, 2)
    full, part = make_network(), make_network(live=live)
    inputs = torch.zeros(3, 9, 48)
    inputs[:, :, live] = torch.from_numpy(np.random.default_rng(0).random((3, 9, live.size), dtype=np.float32))
    fewer = torch.zeros(3, 9, pad(live.size))
    fewer[..., : live.size] = inputs[..., live]
    torch.testing.assert_close(part(fewer), full(inputs), atol=1e-6, rtol=1e-5)
    gradients = []
    for network, read in ((full, inputs), (part, fewer)):
        views = network.views(torch.zeros_like(network.parameters))
        network.backward(network.activations(read), torch.ones(3, 9, 16), views)
        gradients.append(views)
    torch.testing.assert_close(
        gradients[1][0].weight[:, : live.size], gradients[0][0].weight[:, live], atol=1e-5, rtol=1e-5
    )
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one.bias, other.bias, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("beta1", [0.9, 0.0])
def test_adam_against_torch(beta1):
    """The very same kernel, so the very same bits; and the formula in float64 beside it, to float32's precision."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(2, 160)).astype(np.float32)
    parameters, theirs = torch.from_numpy(start.copy()), torch.from_numpy(start.copy()).requires_grad_()
    ours = Adam(parameters, learning_rate=0.01, beta1=beta1, beta2=0.99, epsilon=1e-4)
    reference = torch.optim.Adam([theirs], lr=0.01, betas=(beta1, 0.99), eps=1e-4, fused=True)
    slow, mean, square = start.astype(np.float64), 0.0, 0.0
    for step in range(1, 30):
        gradient = rng.normal(size=(2, 160)).astype(np.float32)
        ours.step(torch.from_numpy(gradient))
        theirs.grad = torch.from_numpy(gradient)
        reference.step()
        mean = beta1 * mean + (1 - beta1) * gradient
        square = 0.99 * square + 0.01 * gradient.astype(np.float64) ** 2
        slow -= 0.01 * (mean / (1 - beta1**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-4)
    assert torch.equal(parameters, theirs.detach())
    np.testing.assert_allclose(parameters.numpy(), slow, atol=1e-5)


@pytest.mark.parametrize(("loss", "kind"), [(huber, "huber"), (squared, "squared")])
def test_losses_and_their_slopes(loss, kind):
    errors = torch.tensor([[-5.0, -1.0, -0.3, 0.0, 0.7, 1.0, 2.5]], requires_grad=True)
    value, slope = loss(errors)
    by_hand = {
        "huber": [4.5, 0.5, 0.045, 0.0, 0.245, 0.5, 2.0],
        "squared": [12.5, 0.5, 0.045, 0.0, 0.245, 0.5, 3.125],
    }
    np.testing.assert_allclose(value.detach()[0], by_hand[kind], rtol=1e-6)
    torch.testing.assert_close(slope.detach(), torch.autograd.grad(value.sum(), errors)[0])


def test_gradients_are_clipped_run_by_run():
    gradient = torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [-60.0, 80.0]])
    norms = clip_norms_(gradient, 2.0)
    np.testing.assert_allclose(norms, [5, 0.5, 0, 100])
    np.testing.assert_allclose(gradient, [[1.2, 1.6], [0.3, 0.4], [0, 0], [-1.2, 1.6]], rtol=1e-6)
    clip_norms_(gradient, float("inf"))
    np.testing.assert_allclose(gradient[3], [-1.2, 1.6], rtol=1e-6)


def test_a_run_that_is_lost_does_not_keep_others_from_being_clipped():
    gradient = torch.tensor([[np.nan, 1.0], [3.0, 4.0]])
    clip_norms_(gradient, 2.0)
    np.testing.assert_allclose(gradient[1], [1.2, 1.6], rtol=1e-6)
