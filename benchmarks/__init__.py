"""How fast and how small manifest-runner is, as ratios to a floor and to peers: ``python -m benchmarks``."""
