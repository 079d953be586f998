"""Measure the time and memory of manifest-runner, as ratios to a floor and to peers: ``python -m benchmarks``."""
