"""The two studies of bias: their measures beside theory, their verdicts on planted numbers, their figures' content."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from rich.console import Console

from gridrl.studies import bias_actions, bias_noise
from gridrl.studies.chain import NUM_STATES
from gridrl.studies.level import level_bias
from gridrl.studies.study import Tables
from gridrl.studies.theory import normal_maximum
from gridrl.truth.solution import solve
from gridrl_envs.level import Level

QUIET = Console(quiet=True)
AGENTS = ("q-learning", "double-q-learning", "dqn", "double-dqn")


def texts(figure: object) -> str:
    from matplotlib.text import Text

    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")  # type: ignore[attr-defined]


# --- the level


def test_without_noise_a_table_comes_to_the_true_values() -> None:
    rows = level_bias("q-learning", "reward_noise", 0.0, [0, 1], 12_000)
    # Coin, +100, two steps from the start; at most one step from a coin a state is worth 100.
    assert solve(Level.load("dense-small").keep_coins(1), 0.9).start_value() == pytest.approx(90)
    assert rows["true_value"].between(50, 100).all()
    assert (rows["bias"].abs() < 0.03 * rows["true_value"]).all()


def test_noise_lifts_what_is_believed_and_runs_stand_alone() -> None:
    company = level_bias("q-learning", "reward_noise", 60.0, [3, 4], 3000)
    alone = level_bias("q-learning", "reward_noise", 60.0, [4], 3000)
    assert company.iloc[1:].reset_index(drop=True).equals(alone)
    assert (company["bias"] > 100).all()


def test_networks_see_the_same_states() -> None:
    rows = level_bias("dqn", "slip", 0.6, [0], 400)
    table = level_bias("q-learning", "slip", 0.6, [0], 400)
    assert rows["true_value"].between(20, 100).all()
    # Both wander at random: their states are worth the same but for chance (a state's worth lies between 0 and 100).
    assert rows["true_value"].iloc[0] == pytest.approx(table["true_value"].iloc[0], abs=30)


# --- mere estimates


@pytest.mark.parametrize("errors", bias_actions.ERRORS)
def test_estimates_beside_their_theory(errors: str) -> None:
    rows = bias_actions.estimate_bias(errors, range(8), 500)
    by_count = rows.groupby("num_actions")
    expected = {
        "normal": [normal_maximum(count) for count in bias_actions.MANY],
        "uniform": [3**0.5 * (count - 1) / (count + 1) for count in bias_actions.MANY],
    }[errors]
    error = 4 / np.sqrt(8 * 500)  # four standard errors: neither estimate varies more than an error itself, by 1
    assert by_count["maximum"].mean().tolist() == pytest.approx(expected, abs=error)
    assert by_count["double"].mean().tolist() == pytest.approx([0.0] * len(expected), abs=error)
    least = by_count["least_bias"].mean()
    assert least[2] == pytest.approx(expected[0], abs=error), (
        "of two estimates, the maximum is just so far above the mean"
    )
    assert (least < by_count["maximum"].mean())[1:].all()
    assert least[2] > 10 * least[1024], "it falls with the number of actions"


# --- verdicts on planted numbers


def planted_chain(bias_of: dict[str, float], amounts: dict[str, list[float]], noise: float = 0.01) -> pandas.DataFrame:
    """Rows in which bias is `bias_of` times the amount, with a little noise."""
    rng = np.random.default_rng(0)
    ((column, values),) = amounts.items()
    fixed = {"num_actions": 4, "reward_std": 1.0}
    return pandas.DataFrame(
        [
            fixed
            | {
                column: amount,
                "agent": agent,
                "seed": seed,
                "state": state,
                "bias": bias_of[agent] * amount + noise * rng.normal(),
                "mean_error": 0.0,
                "least_bias": 0.1 * bias_of[agent] * amount,
            }
            for agent in AGENTS
            for amount in values
            for seed in range(6)
            for state in range(NUM_STATES)
        ]
    )


def planted_level(bias_of: dict[str, float]) -> pandas.DataFrame:
    rng = np.random.default_rng(1)
    return pandas.DataFrame(
        [
            (agent, dial, amount, seed, bias_of[agent] * amount + 0.01 * rng.normal(), 80.0)
            for agent in AGENTS
            for dial, amounts in (("reward_noise", (0.0, 60.0)), ("slip", (0.0, 0.6)))
            for amount in amounts
            for seed in range(6)
        ],
        columns=["agent", "dial", "amount", "seed", "bias", "true_value"],
    )


RISING = {"q-learning": 1.0, "double-q-learning": 0.2, "dqn": 0.8, "double-dqn": 0.5}


def noise_tables(bias_of: dict[str, float]) -> Tables:
    return {
        "chain": planted_chain(bias_of, {"reward_std": [0.0, 1.0, 2.0]}),
        "level": planted_level(bias_of),
    }


def test_the_verdict_on_noise() -> None:
    verdict = bias_noise.judge(noise_tables(RISING))
    assert verdict.outcome == "the claim holds", verdict
    words = " ".join(finding.text for finding in verdict.findings)
    assert "level, no noise, no slip: dqn is off by" in words
    assert "chain, reward noise: bias of q-learning: the rise per unit of standard deviation is 1" in words
    assert "level, slip 0.6: what double-dqn takes off the bias of dqn is 0.18" in words  # (.8 - .5) x .6

    swapped = bias_noise.judge(noise_tables(RISING | {"dqn": 0.5, "double-dqn": 0.8}))
    assert swapped.outcome == "the claim does not hold"
    assert [finding.holds for finding in swapped.findings].count(False) == 3

    same = bias_noise.judge(noise_tables(RISING | {"double-dqn": 0.8}))
    assert "within the noise" in same.outcome


def test_an_agent_that_has_not_learned_yet_is_no_proof() -> None:
    tables = noise_tables(RISING)
    level = tables["level"]
    level.loc[level["agent"] == "dqn", "bias"] -= 40
    (control,) = [f for f in bias_noise.judge(tables).findings if "no noise, no slip: dqn" in f.text]
    assert control.holds is None
    assert control.text.endswith("where states are worth 80: it has not learned them yet")


def test_the_verdict_on_actions() -> None:
    tables = {
        "chain": planted_chain(RISING, {"num_actions": [2, 4, 8, 16]}),
        "estimates": pandas.concat([bias_actions.estimate_bias(e, range(4), 200) for e in bias_actions.ERRORS]),
    }
    assert bias_actions.judge(tables).outcome == "the claim holds"
    tables["estimates"]["maximum"] += 0.5
    assert bias_actions.judge(tables).outcome == "the claim does not hold"


def test_one_seed_is_no_verdict_and_yet_a_figure() -> None:
    tables = {name: table[table["seed"] == 0] for name, table in noise_tables(RISING).items()}
    verdict = bias_noise.judge(tables)
    assert {finding.holds for finding in verdict.findings} == {None}
    assert "(one run, so no interval)" in verdict.findings[0].text
    assert "q-learning (n=1)" in texts(bias_noise.draw(tables))


# --- the whole, as short as can be


def test_all_four_agents_are_measured_on_every_turn_of_the_dials(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, networks = ("q-learning", "double-q-learning"), ("dqn", "double-dqn")
    steps = {tables: 200, networks: 150}
    tiny = bias_noise.Size(2, steps, steps, (0, 60), (0, 0.6))
    monkeypatch.setitem(bias_noise.SIZES, "smoke", tiny)
    found = bias_noise.measure(Path(), "smoke", 3, QUIET)
    assert found["chain"].groupby(["agent", "reward_std", "state"])["seed"].nunique().eq(3).all()
    assert len(found["chain"]) == 4 * 4 * 5 * 3
    assert len(found["level"]) == 4 * 4 * 3
    assert not found["chain"].isna().any(axis=None)
    assert not found["level"].isna().any(axis=None)

    monkeypatch.setitem(bias_actions.SIZES, "smoke", bias_actions.Size(2, 200, 150, 20))
    found = bias_actions.measure(Path(), "smoke", None, QUIET)
    assert len(found["chain"]) == 4 * 4 * 5 * 2
    assert set(found["chain"]["num_actions"]) == {2, 4, 8, 16}


def test_what_the_figures_show() -> None:
    figure = bias_noise.draw(noise_tables(RISING))
    chain, states, noise, slip = figure.axes
    (line,) = [line for line in chain.lines if str(line.get_label()).startswith("q-learning")]
    np.testing.assert_allclose(line.get_ydata(), [0, 1, 2], atol=0.01)
    (least,) = [line for line in chain.lines if line.get_label() == "least, theorem 1: q-learning"]
    np.testing.assert_allclose(least.get_ydata(), [0, 0.1, 0.2], atol=1e-9)
    (doses,) = [line for line in states.lines if line.get_label() == "one dose for each choice"]
    # .1 / 1.9 of the rewards' variance is kept, and the mean maximum of four normal numbers is 1.0294.
    np.testing.assert_allclose(doses.get_ydata(), 1.02938 * np.sqrt(0.1 / 1.9) * np.arange(1, 6), rtol=1e-4)
    assert all(len(axes.lines) == 4 for axes in (noise, slip))
    assert "How to read:" in texts(figure)

    figure = bias_actions.draw(
        {
            "chain": planted_chain(RISING, {"num_actions": [2, 4, 8, 16]}),
            "estimates": pandas.concat([bias_actions.estimate_bias(e, range(2), 50) for e in bias_actions.ERRORS]),
        }
    )
    mere, tables, networks = figure.axes
    (uniform,) = [line for line in mere.lines if line.get_label() == "theorem 2, uniform"]
    np.testing.assert_allclose(uniform.get_ydata()[:2], 3**0.5 * np.array([1 / 3, 3 / 5]))
    assert [str(line.get_label()) for line in networks.lines][:2] == ["dqn (n=6)", "double-dqn (n=6)"]
    assert "theory: q-learning" in [line.get_label() for line in tables.lines]
