"""The manifest's YAML as typed values, each with its place in the file."""
