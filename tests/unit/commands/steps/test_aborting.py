"""One analysis that ICA will not abort keeps no other one running."""

from __future__ import annotations

import pytest

from manifest_runner.commands.steps.aborting import abort_each
from manifest_runner.errors import Refused
from manifest_runner.ica.model import Analysis


class Server:
    """Refuses to abort what ``refused`` names, with that status; what ``ended`` names has ended by itself."""

    def __init__(self, refused: dict[str, int], ended: tuple[str, ...] = ()) -> None:
        self.refused = refused
        self.ended = ended
        self.asked: list[str] = []

    def abort_analysis(self, analysis_id: str) -> None:
        self.asked.append(analysis_id)
        if analysis_id in self.refused:
            raise Refused(f"no {analysis_id}.", status=self.refused[analysis_id])

    def get_analysis(self, analysis_id: str) -> Analysis:
        return Analysis(analysis_id, None, "SUCCEEDED" if analysis_id in self.ended else "IN_PROGRESS")


def test_the_others_are_aborted_and_the_first_refusal_is_reported():
    server, aborted = Server({"b": 409, "c": 403, "d": 400}, ended=("d",)), []
    refused = abort_each(server, ["a", "b", "c", "d", "e"], aborted.append)
    assert aborted == ["a", "e"]
    assert (str(refused), refused and refused.status) == ("no b. Asked ICA to abort 2 of 5 analyses.", 409)


@pytest.mark.parametrize("status", [401, 405])
def test_a_refusal_that_holds_for_all_ends_it(status):
    server = Server({"b": status})
    with pytest.raises(Refused):
        abort_each(server, ["a", "b", "c"], lambda _id: None)
    assert server.asked == ["a", "b"]


def test_what_has_ended_by_itself_is_no_refusal():
    assert abort_each(Server({"a": 409}, ended=("a",)), ["a"], pytest.fail) is None
