"""Agents that keep their values in tables."""
