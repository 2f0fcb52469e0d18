"""Windows in which nothing learns: a game, an editor, agents that are watched."""
