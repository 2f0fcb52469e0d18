"""Value-based reinforcement learning on grids: train, look, compare."""
