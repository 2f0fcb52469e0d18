"""The error of quantiles, told (rule: `deep/quantile.py`)."""

import numpy as np

from gridrl_agents.deep.explain.look import Look
from gridrl_agents.explanation import ERROR, TARGET, Explanation, show, term


def tell_equation(look: Look, told: Explanation) -> None:
    """Tell the loss of all pairs."""
    told.equation(
        "u_ij = reward_scale * (r + discount * theta_target_j(s', b*) - theta_online_i(s, a)); Q = mean_i theta_i"
    )
    loss = "L(u) = u^2 / 2 up to |u| = kappa, kappa (|u| - kappa / 2) beyond"
    if look.settings.quantile_huber_threshold == 0:
        loss = "L(u) = |u|"
    told.equation(
        f"loss = sum_i mean_j |tau_i - 1{{u_ij < 0}}| * L(u_ij), tau_i = (i - 1/2) / K, {loss}",
        "Dabney et al. 2018, equation 10 and algorithm 1",
    )


def tell(look: Look, told: Explanation) -> None:
    """Tell the quantiles and their targets, one pair in full, and the loss of all."""
    kappa = look.settings.quantile_huber_threshold
    coming, estimate = (
        look.vector(values) / look.scale for values in (look.update.next_estimate, look.update.estimate)
    )
    target = look.reward + look.discount * coming
    count = len(target)
    tau = (np.arange(count) + 0.5) / count
    error = look.scale * (target - estimate[:, None])  # [K of the estimate, K of the target]
    weight = np.abs(tau[:, None] - (error < 0))
    slope = np.clip(error, -kappa, kappa) if kappa else np.sign(error)
    loss = slope * (error - slope / 2) if kappa else np.abs(error)

    working = f"{show(look.td_target)} - {term(look.estimate)}"
    told.line(ERROR, "td_error", "td_error", look.td_error, "of the means: shown, not learned from", working)
    i = count // 2
    told.line(TARGET, "quantile", f"theta_{i + 1}(s', b*)", coming[i], "the middle quantile of what comes")
    working = f"{show(look.reward)} + {show(look.discount)} x {term(coming[i])}"
    told.line(
        TARGET, "quantile_target", f"target_{i + 1}", target[i], "one of the K targets of every quantile", working
    )
    told.line(ERROR, "tau", f"tau_{i + 1}", tau[i], "the middle quantile of s, a", f"({i + 1} - 1/2) / {count}")
    told.line(ERROR, "kappa", "kappa", kappa, "scaled: up to it the loss is quadratic")
    working = f"{show(look.scale)} x ({show(target[i])} - {term(estimate[i])})"
    told.line(
        ERROR, "pair_error", f"u_{i + 1},{i + 1}", error[i, i], "scaled: one pair of quantile and target", working
    )
    words = "|tau - 1|, as u is below 0" if error[i, i] < 0 else "tau, as u is not below 0"
    told.line(ERROR, "pair_weight", "|tau - 1{u < 0}|", weight[i, i], words)
    working = f"{show(weight[i, i])} x {show(loss[i, i])}"
    told.line(ERROR, "pair_loss", "pair's loss", weight[i, i] * loss[i, i], "|tau - 1{u < 0}| * L(u)", working)
    words = f"of all {count} x {count} pairs, scaled: the sum over i of the mean over j"
    told.line(ERROR, "loss", "loss", look.number(look.update.lesson.loss), words)
    told.table(
        ERROR,
        "quantiles",
        {
            "i": list(range(1, count + 1)),
            "tau": tau.tolist(),
            "theta_online(s, a)": estimate.tolist(),
            "target": target.tolist(),
            "targets below": (error < 0).mean(axis=1).tolist(),
            "loss": (weight * loss).mean(axis=1).tolist(),
            "slope": look.vector(look.update.lesson.gradient).tolist(),
        },
        "the quantiles: one is right when the share of targets below it is its tau; slope is d loss / d theta, scaled",
    )
