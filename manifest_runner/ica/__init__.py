"""The API of Illumina Connected Analytics."""
