"""Levels that are being painted."""
