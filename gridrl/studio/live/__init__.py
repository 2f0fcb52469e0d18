"""`gridrl live`: minds, a hand, time and the past in one window."""
