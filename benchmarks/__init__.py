"""Speed and memory, beside the peers; run them with `python -m benchmarks.NAME`."""
