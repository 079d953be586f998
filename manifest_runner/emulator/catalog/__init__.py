"""Projects, pipelines, storages and data: from a catalog file, or made up."""
