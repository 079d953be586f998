"""Prices are asked for once for each analysis that has ended."""

from __future__ import annotations

from commands.outcome_lab import study

from manifest_runner.commands.outcomes.prices import record_prices
from manifest_runner.commands.steps.open_run import open_look
from manifest_runner.planning.estimate import estimate

CATALOG = """\
analyses:
  - {userReference: ^bad, times: 1, outcome: failed, price: 1.5}
  - {userReference: ^gone, outcome: aborted}
  - {userReference: ^later, price: null}
  - {price: 12.4}
"""


def ask(lab):
    with open_look(lab.path, lab.target, lab.options, lab.context) as run:
        waiting = record_prices(run, run.session.lockfile.items)
        run.session.finish()
        return waiting, run.session.lockfile


def test_prices_of_all_launches_are_asked_for_once(tmp_path):
    with study(tmp_path, "a", "bad", "gone", "later", catalog=CATALOG) as lab:
        lab.run(retries=1)
        waiting, lockfile = ask(lab)
        items = lab.items()
        assert waiting == 1
        assert items["a"]["price"] == {"amount": "12.4", "currency": "iCredit"}
        assert [launch["price"]["amount"] for launch in (items["bad"], *items["bad"]["previous"])] == ["12.4", "1.5"]
        assert "price" not in items["gone"]
        assert lab.asked("/usage") == 4
        assert ask(lab)[0] == 1
        assert lab.asked("/usage") == 5
        guess = estimate(lockfile, 10)
        assert guess is not None
        assert (str(guess.amount), guess.currency, guess.known) == ("124.0", "iCredit", 3)


def test_without_a_known_price_nothing_is_estimated(tmp_path):
    with study(tmp_path, "later", catalog=CATALOG) as lab:
        lab.run()
        assert estimate(ask(lab)[1], 10) is None
