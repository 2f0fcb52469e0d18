"""Studies as text files: what they say, the tutorial's values, and mistakes."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from gridrl.__main__ import main
from gridrl.errors import UserError
from gridrl.studies.design import Design
from gridrl.studies.registry import find, studies
from gridrl.studies.trained import TrainedStudy
from gridrl.sweeps.shard import cut
from gridrl_agents.deep.settings import DQNSettings
from gridrl_agents.registry import settings_class

COPY_500: dict[str, Any] = {}


def polyak(rate: float) -> dict[str, Any]:
    return {"target_update_period": 1, "target_update_rate": rate}


# The table of studies, as what each variant changes of its agent's own settings; the names by which agents are made.
VALUES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "dqn-buffer": (
        "dqn",
        [
            {"replay_capacity": 100, "min_replay_size": 100},
            {"replay_capacity": 1_000},
            {"replay_capacity": 5_000},
            {},
            {"replay_capacity": 40_000},
        ],
    ),
    "dqn-target": (
        "dqn",
        [{"target_update_period": 1}, {"target_update_period": 100}, COPY_500, polyak(0.01), polyak(0.05)],
    ),
    "dqn-batch": ("dqn", [{}, {"batch_size": 64}, {"batch_size": 128}]),
    "dqn-learning-rate": ("dqn", [{"learning_rate": 0.01}, {}, {"learning_rate": 0.0001}]),
    "ddqn-target": ("double-dqn", [polyak(0.01), polyak(0.05), polyak(0.1)]),
    "ddqn-gamma": ("double-dqn", [{"gamma": 0.9}, {"gamma": 0.95}, {}]),
    "per-alpha": ("per-dqn", [{"priority_exponent": alpha} for alpha in (0.2, 0.5, 0.8)]),
    "per-beta": ("per-dqn", [{"importance_sampling_exponent": beta} for beta in (0.2, 0.5, 0.8)]),
    "per-buffer": ("per-dqn", [{"replay_capacity": 5_000}, {}, {"replay_capacity": 40_000}]),
    "dueling-width": ("dueling-dqn", [{"hidden_sizes": (64, 64)}, {}, {"hidden_sizes": (256, 256)}]),
    "dueling-ablation": (
        "dueling-dqn",
        [{}, {"double": True}, {"replay": "proportional"}, {"double": True, "replay": "proportional"}],
    ),
    "exploration": ("dqn", [{}, {"epsilon_begin": 0.01, "epsilon_end": 0.01}]),
}
LADDER = ["q-learning", "dqn", "double-dqn", "per-dqn", "dueling-dqn", "noisy-dqn", "c51", "qr-dqn", "rainbow"]
LENGTHS = {"smoke": (1_500, 2), "short": (21_000, 8), "full": (81_000, 20)}


def trained(name: str) -> TrainedStudy:
    study = find(name)
    assert isinstance(study, TrainedStudy)
    return study


def test_these_are_the_files() -> None:
    names = {study.name for study in studies() if isinstance(study, TrainedStudy)}
    assert names == {*VALUES, "ladder"}
    shipped = Path(__file__).parents[2] / "gridrl" / "studies" / "files"
    assert {path.stem for path in shipped.iterdir()} == names


@pytest.mark.parametrize("budget", ["smoke", "short", "full"])
@pytest.mark.parametrize("name", VALUES)
def test_variants_are_the_tutorials(name: str, budget: Any) -> None:
    agent, changes = VALUES[name]
    configs = trained(name).design.configs(budget)
    for config, change in zip(configs, changes, strict=True):
        assert config.agent == agent
        assert config.agent_settings == dataclasses.asdict(settings_class(agent)(**change))
        assert (config.problem.env, config.problem.coins, config.problem.observation) == ("dense-v0", None, "auto")
        assert (config.steps, len(config.seeds)) == LENGTHS[budget]


def test_the_ladder() -> None:
    configs = trained("ladder").design.configs("short")
    assert [config.agent for config in configs] == LADDER
    assert all(
        config.agent_settings == dataclasses.asdict(settings_class(config.agent)())  # the agents as they are
        for config in configs
    )


@pytest.mark.parametrize("budget", ["smoke", "short", "full"])
def test_all_studies_together_train_each_setting_once(budget: Any) -> None:
    shards: dict[str, list[str]] = {}
    for name in (*VALUES, "ladder"):
        for config in trained(name).design.configs(budget, 2):
            for shard in cut(config):
                shards.setdefault(shard.key, []).append(name)
    different = {(agent, repr(sorted(change.items()))) for agent, changes in VALUES.values() for change in changes}
    different |= {(agent, "[]") for agent in LADDER}
    assert len(shards) == len(different)
    plain = {"exploration", "dqn-buffer", "dqn-target", "dqn-batch", "dqn-learning-rate", "ladder"}
    assert max(map(set, shards.values()), key=len) == plain


def test_the_settings_that_all_share() -> None:
    shared = DQNSettings()
    assert (shared.gamma, shared.reward_scale, shared.hidden_sizes, shared.batch_size) == (0.99, 0.01, (128, 128), 32)
    assert (shared.epsilon_begin, shared.epsilon_end, shared.epsilon_decay_steps) == (1.0, 0.05, 20_000)
    assert (shared.replay_capacity, shared.target_update_period, shared.min_replay_size) == (20_000, 500, 1_000)


@pytest.mark.parametrize("name", [*VALUES, "ladder"])
def test_a_study_is_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "show", name]) == 0
    shown = capsys.readouterr().out
    design = trained(name).design
    for words in (design.question, design.claim, design.source, *design.variants, *(p.text for p in design.parts)):
        assert words in shown
    assert "Budget short: 8 seeds, 21000 steps" in shown


def test_a_study_with_a_module_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "show", "textbook"]) == 0
    assert "gridrl/studies/textbook.py" in capsys.readouterr().out


GOOD = """
question = "Which?"
claim = "This one."
source = "ours"
agent = "q-learning"
[settings]
env = "dense-small-v0"
coins = 2
[variants]
a = {}
b = { gamma = 0.5 }
[[parts]]
more = "a"
than = "b"
[[parts]]
metric = "max_q_start"
when = "all"
alike = ["a", "b"]
within = 5
[budgets.smoke]
steps = 300
"""


def test_what_a_file_says(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(GOOD)
    design = Design.read(tmp_path / "s.toml")
    first, second = design.parts
    assert (first.metric, first.when, first.first, first.second, first.limit) == ("return", "end", "a", "b", None)
    assert (second.metric, second.when, second.limit) == ("max_q_start", "all", 5.0)
    assert design.show == ("return",)
    assert (design.sizes["smoke"].steps, design.sizes["smoke"].seeds, design.sizes["short"].steps) == (300, 2, 21_000)
    assert design.text == GOOD
    configs = design.configs("smoke", 5)
    assert [config.agent_settings["gamma"] for config in configs] == [0.99, 0.5]
    assert all(config.seeds == [0, 1, 2, 3, 4] and config.steps == 300 for config in configs)


def test_one_variant_beside_several(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(GOOD.replace('than = "b"', 'than = ["a", "b"]'))
    assert [part.second for part in Design.read(tmp_path / "s.toml").parts[:2]] == ["a", "b"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('question = "Which?"', "question = ", "s.toml is no TOML"),
        ('question = "Which?"', "", "question must be a line of text, got nothing"),
        ('claim = "This one."', "claim = 3", "claim must be a line of text, got 3"),
        ("[settings]", "[setings]", "unknown entry 'setings'; did you mean 'settings'?"),
        ("a = {}\nb = { gamma = 0.5 }", "", "there are no variants; add"),
        ("a = {}", "a = 3", r"variant 'a' must be a table of settings .* got 3"),
        ("a = {}", f"{'a' * 39} = {{}}", "the label 'a+' is too long for a figure; use at most 38 letters"),
        ("coins = 2", "processes = 2", "processes in 'settings' is for the command to say, by"),
        ("coins = 2", "steps = 2", "steps in 'settings' is the budget's"),
        ("a = {}", "a = { seeds = 2 }", "seeds in 'a' is the budget's"),
        ('agent = "q-learning"', 'agent = "q-learner"', "q-learner.*did you mean 'q-learning'"),
        ("gamma = 0.5", "gama = 0.5", "variant 'b': .*'gama'; did you mean 'gamma'"),
        ("gamma = 0.5", "gamma = 1.5", "variant 'b': gamma must"),
        ("coins = 2", "coins = 2\nslipp = 0.1", "variant 'a': unknown setting 'slipp'; did you mean 'slip'"),
        ('agent = "q-learning"', 'agent = "q-learning"\nshow = ["retrn"]', "'retrn'; did you mean 'return'"),
        ('agent = "q-learning"', 'agent = "q-learning"\nshow = "return"', "show must be a list"),
        ('than = "b"', "", r"part 1 of the claim needs more and than, or alike and within; .* more"),
        ('than = "b"', 'than = "c"', "unknown variant in part 1 of the claim 'c'"),
        ('than = "b"', 'thann = "b"', "unknown entry of part 1 of the claim 'thann'; did you mean 'than'"),
        ('"max_q_start"', '"max_q"', "metric of part 2 of the claim 'max_q'; did you mean 'max_q_start'"),
        ('when = "all"', 'when = "alll"', "when of part 2 of the claim 'alll'; did you mean 'all'"),
        ('["a", "b"]', '["a"]', "part 2 of the claim: alike must be two variants"),
        ("within = 5", "within = -5", "within must be a number above 0, got -5"),
        ("[budgets.smoke]", "[budgets.smke]", "unknown budget 'smke'; did you mean 'smoke'"),
        ("steps = 300", "step = 300", "entry of budgets.smoke 'step'; did you mean 'steps'"),
        ("steps = 300", "steps = 0", "budgets.smoke.steps must be a whole number of 1 or more, got 0"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in GOOD
    (tmp_path / "s.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UserError, match=sentence):
        Design.read(tmp_path / "s.toml").configs("smoke")


def test_a_claim_without_parts_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(GOOD[: GOOD.index("[[parts]]")])
    with pytest.raises(UserError, match="the claim has no parts that are tested; add"):
        Design.read(tmp_path / "s.toml")
    with pytest.raises(UserError, match=r"none\.toml cannot be read"):
        find(str(tmp_path / "none.toml"))
