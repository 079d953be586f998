"""Compare items with the lockfile, and plan what to launch."""
