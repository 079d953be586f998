"""What was launched."""
