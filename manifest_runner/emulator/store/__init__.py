"""The emulator's durable state in SQLite."""
