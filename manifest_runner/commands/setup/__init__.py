"""How every command starts: its context, its options, and the session that holds a manifest."""
