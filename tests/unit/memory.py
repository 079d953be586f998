"""The memory that a process took at most."""

from __future__ import annotations

import re
import resource
from pathlib import Path


def peak_mb() -> int:
    """Of this process alone: Linux hands ``ru_maxrss`` on from a large parent over fork and exec, VmHWM it does not."""
    status = Path("/proc/self/status")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024
