"""The markers that git leaves in a file that it could not merge. Pure."""

from __future__ import annotations

CONFLICT_MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ")
_MARKERS = tuple(marker.encode() for marker in CONFLICT_MARKERS)


def conflict_line(raw: bytes) -> int:
    """The number of the first line that is a conflict marker; 0 if there is none."""
    if not any(marker in raw for marker in _MARKERS):
        return 0
    return next((number for number, line in enumerate(raw.split(b"\n"), 1) if line.startswith(_MARKERS)), 0)
