"""A plain environment, as a user has it: an editable install starts every Python in its environment more slowly."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


def plain_python(folder: Path) -> str:
    """The Python of a new environment in ``folder`` with a regular install of this checkout."""
    environment = folder / "plain"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    subprocess.run((python, "-I", "-m", "pip", "install", "--quiet", "--quiet", str(ROOT)), check=True)
    return python
