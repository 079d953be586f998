"""What every command starts from: the context, the options, the session that holds a manifest."""
