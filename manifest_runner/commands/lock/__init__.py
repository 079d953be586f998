"""The ``lock`` commands: the lease, and copies and merges of lockfiles."""
