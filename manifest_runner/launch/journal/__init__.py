"""What was sent, written down before it is sent."""
