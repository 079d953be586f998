from __future__ import annotations

import pytest
from launch.launch_lab import LaunchLab


@pytest.fixture
def lab(tmp_path):
    made = LaunchLab(tmp_path)
    yield made
    made.journal.close()
