"""The journal: each batch is recorded before it is sent."""
