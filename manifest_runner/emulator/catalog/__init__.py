"""What the emulator knows from a catalog file, or makes up."""
