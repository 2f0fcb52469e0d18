"""How the parameters follow the gradient, told (rules: `deep/adam.py`, `deep/rmsprop.py`)."""

from typing import Any

from torch import Tensor

from gridrl_agents.deep.drqn import DRQN
from gridrl_agents.deep.learner import DQN
from gridrl_agents.deep.optimizers import Optimizer
from gridrl_agents.deep.rmsprop import RMSprop
from gridrl_agents.explanation import STEP, Explanation, show, term


def tell_equation(told: Explanation, optimizer: Optimizer, batch_loss: str) -> None:
    """Tell what the gradient is of, and the optimizer's step."""
    told.equation(f"g = the gradient of {batch_loss} by the network's parameters w")
    if isinstance(optimizer, RMSprop):
        told.equation("w <- w - learning_rate * g / sqrt(v - m^2 + epsilon)", "Mnih et al. 2015; Graves 2013")
    else:
        told.equation("w <- w - learning_rate * m^ / (sqrt(v^) + epsilon)", "Adam, Kingma & Ba 2015")


def tell(told: Explanation, agent: DQN | DRQN, before: Tensor, old: dict[str, Any], norm: Tensor, run: int) -> None:
    """Tell the step of one run's whole gradient, and one parameter in full.

    `before` are the parameters [R, P] and `old` the optimizer's state before it, `norm` [R] is the gradient's before it
    was clipped.
    """
    gradient, optimizer, max_norm = agent._gradient[run], agent._optimizer, agent._settings.max_gradient_norm
    _tell_lengths(told, float(norm[run]), max_norm, gradient, optimizer)
    after = agent._online.parameters[run]
    change = float((after - before[run]).norm())
    told.line(STEP, "change_norm", "|change|", change, "how far all parameters moved together")

    place = int(gradient.abs().argmax())
    was, now = float(before[run, place]), float(after[place])
    count = int((gradient != 0).sum())
    told.say(STEP, f"One parameter, of {count} that have a gradient, the one where it is largest:")
    told.line(STEP, "parameter", "w", was, f"before; number {place} of the network's")
    told.line(STEP, "gradient", "g", float(gradient[place]), "its part of the gradient")
    new = optimizer.state_dict()
    for name, symbol, words in (("mean", "m", "running mean of g"), ("square", "v", "running mean of g^2")):
        words = f"{words}; it was {show(float(old[name][run, place]))}"
        told.line(STEP, f"gradient_{name}", symbol, float(new[name][run, place]), words)
    (_tell_rmsprop if isinstance(optimizer, RMSprop) else _tell_adam)(told, optimizer, new)
    told.line(STEP, "new_parameter", "w", now, "after: w - step", f"{show(was)} - {term(told['optimizer_step'])}")


def _tell_lengths(told: Explanation, norm: float, max_norm: float, gradient: Tensor, optimizer: Any) -> None:
    told.line(STEP, "gradient_norm", "|g|", norm, "the whole gradient's length, all transitions together; scaled")
    words = (
        f"longer than {show(max_norm)}: shortened to it" if norm > max_norm else f"not above {show(max_norm)}: as it is"
    )
    told.line(STEP, "clipped_norm", "|g| used", float(gradient.norm()), words)
    told.line(STEP, "learning_rate", "learning_rate", optimizer._learning_rate, "the optimizer's step size")


def _tell_adam(told: Explanation, optimizer: Any, new: dict[str, Any]) -> None:
    count = int(new["step"])
    told.line(STEP, "optimizer_steps", "t", count, "steps of Adam, this one included")
    for name, symbol, beta in (("mean", "m", optimizer._beta1), ("square", "v", optimizer._beta2)):
        value = told[f"gradient_{name}"]
        corrected = value / (1 - beta**count)
        working = f"{show(value)} / (1 - {show(beta)}^{count})"
        told.line(STEP, f"corrected_{name}", f"{symbol}^", corrected, "without its start-up bias", working)
    root = told["corrected_square"] ** 0.5 + optimizer._epsilon
    working = f"{show(optimizer._learning_rate)} x {term(told['corrected_mean'])} / {show(root)}"
    step = optimizer._learning_rate * told["corrected_mean"] / root
    told.line(STEP, "optimizer_step", "step", step, "learning_rate * m^ / (sqrt(v^) + epsilon)", working)


def _tell_rmsprop(told: Explanation, optimizer: Any, new: dict[str, Any]) -> None:
    variance = max(told["gradient_square"] - told["gradient_mean"] ** 2, 0.0)
    root = (variance + optimizer._epsilon) ** 0.5
    told.line(STEP, "variance", "v - m^2", variance, "the gradient's variance")
    working = f"{show(optimizer._learning_rate)} x {term(told['gradient'])} / {show(root)}"
    step = optimizer._learning_rate * told["gradient"] / root
    told.line(STEP, "optimizer_step", "step", step, "learning_rate * g / sqrt(v - m^2 + epsilon)", working)
