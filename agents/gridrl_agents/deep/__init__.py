"""Agents that keep their values in networks; the only modules that import torch."""
