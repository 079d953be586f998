"""The YAML file, typed, every value with its place."""
