"""What each command does; none of them prints."""
