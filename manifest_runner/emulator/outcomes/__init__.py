"""The outcome of an analysis: whether it is created, how it ends, what it makes."""
