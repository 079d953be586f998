"""The start of every command: the context, the options, the session that holds a manifest."""
