"""The error of a mean, told (rule: `deep/mean.py`)."""

from gridrl_agents.deep.drqn_settings import DRQNSettings
from gridrl_agents.deep.explain.look import Look
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.explanation import ERROR, Explanation, show, term


def tell_equation(look: Look, told: Explanation) -> None:
    """Tell the loss."""
    tell_loss_equation(told, look.settings.loss)


def tell_loss_equation(told: Explanation, name: str) -> None:
    """Tell the loss of that name."""
    if name == "huber":
        text = "x = reward_scale * td_error; loss = x^2 / 2 up to |x| = 1, |x| - 1/2 beyond"
        told.equation(text, "Huber 1964; Mnih et al. 2015")
    else:
        told.equation("x = reward_scale * td_error; loss = x^2 / 2")


def tell(look: Look, told: Explanation) -> None:
    """Tell the TD error, its loss and the loss's slope."""
    lesson = look.update.lesson
    slope = float(look.vector(lesson.gradient)[0])
    tell_error(told, look.estimate, look.settings, look.number(lesson.loss), slope)


def tell_error(
    told: Explanation, estimate: float, settings: DQNSettings | DRQNSettings, loss: float, slope: float
) -> None:
    """Tell the error of an estimate beside the td_target told before, in true and in scaled units."""
    td_target, scale = told["td_target"], settings.reward_scale
    td_error = td_target - estimate
    working = f"{show(td_target)} - {term(estimate)}"
    told.line(ERROR, "td_error", "td_error", td_error, "td_target - Q_online(s, a)", working)
    scaled = scale * td_error
    working = f"{show(scale)} x {term(td_error)}"
    told.line(ERROR, "scaled_td_error", "x", scaled, "scaled: what the network learns from", working)
    is_huber, size = settings.loss == "huber", show(abs(scaled))
    working = f"{size} - 1/2" if is_huber and abs(scaled) > 1 else f"{size}^2 / 2"
    told.line(ERROR, "loss", "loss", loss, "of this transition, scaled", working)
    words = "d loss / d Q_online(s, a), scaled: -x" + (", kept within -1 and 1" if is_huber else "")
    told.line(ERROR, "slope", "slope", slope, words)
