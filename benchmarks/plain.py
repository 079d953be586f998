"""An environment with a regular install, as users have it: an editable install slows down the start of Python."""

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
