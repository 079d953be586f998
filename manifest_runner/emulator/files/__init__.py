"""The files of the emulator: their bytes, their signed URLs and the server that sends them."""
