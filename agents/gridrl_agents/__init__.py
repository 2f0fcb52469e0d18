"""Learners that step many independent runs at once, from a Q-table to deep networks."""
