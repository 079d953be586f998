"""A log is read as people see it, also where it is a page."""

from __future__ import annotations

import pytest

from manifest_runner.commands.outcomes.log_text import log_lines

PAGE = """<!DOCTYPE html>
<html><head><style>p > b { color: red }</style></head><body>
<div class="line">INFO start</div><p>a &lt; b<br/>ERROR step &quot;align&quot; failed</p>
<script>if (1 < 2) done()</script></body>
</html>
"""


@pytest.mark.parametrize("cut", [0, len("<!DOCTYPE html>\n<html>")], ids=["whole", "the end of it"])
def test_a_page_is_read_as_its_text(cut):
    assert [line.strip() for line in log_lines(PAGE[cut:])] == ["INFO start", "a < b", 'ERROR step "align" failed']


@pytest.mark.parametrize("text", ["a <b> c\n\n<html> d\n", "", "if a < b\n  x > y\n</html>, said the log\n"])
def test_any_other_log_stays_as_it_is(text):
    assert log_lines(text) == text.splitlines()
