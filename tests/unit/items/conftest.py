from __future__ import annotations

import pytest
from items.items_lab import Study


@pytest.fixture(name="study")
def _study(tmp_path):
    return Study(tmp_path)
