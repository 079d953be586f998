"""One module per command: its options, its help, and what it prints. Imported when the command is called."""
