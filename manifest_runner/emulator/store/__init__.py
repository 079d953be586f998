"""The emulator's durable state."""
