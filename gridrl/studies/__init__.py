"""Studies: one question each, a claim, what was measured, and whether the claim holds."""
