"""The lease: one run at a time works on a manifest, on any machine."""
