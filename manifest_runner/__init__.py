"""Launch analyses on Illumina Connected Analytics from a manifest, each exactly once."""

__version__ = "0.1.0"
