"""Search for settings: trials by Optuna, trained as shards, and a report with seeds that the search did not see."""
