"""The tabular agents' rows: name, one line, paper, settings, and where the class is. Importing it imports no array."""

from typing import NamedTuple

from gridrl_agents.tabular import settings as s


class Rule(NamedTuple):
    """One agent; `module` and `agent` are the class's place under `gridrl_agents.tabular`."""

    line: str
    paper: str
    settings: type
    module: str
    agent: str


RULES = {
    "q-learning": Rule(
        "a table; the best next action says what comes",
        "Watkins 1989; Watkins & Dayan 1992",
        s.QLearningSettings,
        "q_learning",
        "QLearning",
    ),
    "monte-carlo": Rule(
        "a table of mean returns, learned when an episode ends",
        "Sutton & Barto 2018, section 5.4",
        s.MonteCarloSettings,
        "monte_carlo",
        "MonteCarlo",
    ),
    "sarsa": Rule(
        "a table; the next action taken says what comes",
        "Rummery & Niranjan 1994",
        s.SarsaSettings,
        "sarsa",
        "Sarsa",
    ),
    "expected-sarsa": Rule(
        "a table; the policy's mean over next actions says what comes",
        "van Seijen et al. 2009",
        s.ExpectedSarsaSettings,
        "expected_sarsa",
        "ExpectedSarsa",
    ),
    "double-q-learning": Rule(
        "two tables: one chooses the next action, the other one values it",
        "van Hasselt 2010",
        s.DoubleQLearningSettings,
        "double_q_learning",
        "DoubleQLearning",
    ),
    "n-step-sarsa": Rule(
        "a table; n rewards are counted before its values are asked",
        "Sutton & Barto 2018, section 7.2",
        s.NStepSarsaSettings,
        "n_step_sarsa",
        "NStepSarsa",
    ),
    "q-lambda": Rule(
        "Q-learning that also teaches the steps that led here, up to the last exploring one",
        "Watkins 1989",
        s.QLambdaSettings,
        "q_lambda",
        "QLambda",
    ),
    "dyna-q": Rule(
        "Q-learning, and more of it on a model learned from the same steps",
        "Sutton 1990",
        s.DynaQSettings,
        "dyna_q",
        "DynaQ",
    ),
}
