"""Speed beside the peers: `python -m benchmarks`; the exact solver's own: `python -m benchmarks.solver`."""
