"""Many trainings at once: a grid of settings and seeds, cut into shards, on one machine or on many."""
