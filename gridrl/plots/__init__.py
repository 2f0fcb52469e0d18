"""Figures: functions from plain data to a matplotlib `Figure`, with the object API and never pyplot."""
