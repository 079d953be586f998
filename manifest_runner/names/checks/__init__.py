"""Items checked against what pipelines declare and against the data."""
