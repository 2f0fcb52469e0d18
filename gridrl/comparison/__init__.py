"""Agents side by side: measures, statistics, tables and pages."""
