"""Follow launches until they have ended: ask ICA for their states, with few requests."""
