"""Agents that learn step by step, and whose world and settings a hand may change meanwhile."""
