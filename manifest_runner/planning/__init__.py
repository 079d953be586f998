"""Items and lockfile: what to launch."""
