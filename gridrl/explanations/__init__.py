"""One update of an agent, in words and numbers."""
