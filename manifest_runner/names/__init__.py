"""Names and the ids they stand for: the names file, the look-up in ICA, and the checks against pipelines."""
