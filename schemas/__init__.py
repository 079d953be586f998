"""The JSON schemas of manifest-runner, shipped as data (installed as ``manifest_runner.schemas``)."""
