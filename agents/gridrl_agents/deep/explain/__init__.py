"""A network's update, step by step: one file for each of the family's choices, and one for DRQN."""
