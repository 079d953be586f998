"""Every store gives the same guarantees, however many machines write at once."""

from __future__ import annotations

from contextlib import suppress
from threading import Barrier, Thread

import pytest

from manifest_runner.store.interface import Conflict, Store, Unchanged

pytest_plugins = ["store_servers"]

NAME = "lock/study"


def test_what_was_never_written_is_absent(stores):
    mine, _ = stores
    assert mine.get(NAME) is None
    assert mine.names("lock/") == []


def test_a_value_is_created_once(stores):
    mine, other = stores
    version = mine.create(NAME, b'{"by": "me"}')
    with pytest.raises(Conflict):
        other.create(NAME, b'{"by": "you"}')
    assert other.get(NAME) == (b'{"by": "me"}', version)


def test_only_the_version_that_was_read_is_written_over(stores):
    mine, other = stores
    first = mine.create(NAME, b"1")
    second = other.replace(NAME, b"2", first)
    with pytest.raises(Conflict):
        mine.replace(NAME, b"3", first)
    assert mine.get(NAME) == (b"2", second)
    assert mine.replace(NAME, b"3", second) != second


def test_a_version_that_is_known_is_not_read_again(stores):
    mine, other = stores
    assert mine.get(NAME, unless="other") is None
    first = mine.create(NAME, b"1")
    with pytest.raises(Unchanged):
        other.get(NAME, unless=first)
    second = mine.replace(NAME, b"2", first)
    assert other.get(NAME, unless=first) == (b"2", second)
    mine.delete([NAME])
    assert other.get(NAME, unless=second) is None


def test_what_is_gone_is_not_replaced(stores):
    mine, other = stores
    version = mine.create(NAME, b"1")
    other.delete([NAME])
    assert mine.get(NAME) is None
    with pytest.raises(Conflict):
        mine.replace(NAME, b"2", version)
    assert mine.create(NAME, b"3")


def test_names_are_those_of_the_folder(stores):
    mine, other = stores
    for name in ("lock/b", "lock/a", "locks/c"):
        mine.create(name, name.encode())
    assert other.names("lock/") == ["lock/a", "lock/b"]
    mine.delete(["lock/a", "lock/b"])
    assert other.names("lock/") == []


def test_what_another_machine_has_removed_does_not_keep_the_rest(stores):
    mine, other = stores
    for name in ("lock/a", "lock/b", "lock/c"):
        mine.create(name, name.encode())
    other.delete(["lock/b"])
    mine.delete(["lock/a", "lock/b", "lock/c"])
    assert mine.names("lock/") == []


def test_of_many_writers_at_once_one_wins(stores):
    version = stores[0].create(NAME, b"start")
    start, won = Barrier(4), []

    def write(number: int, store: Store) -> None:
        start.wait()
        with suppress(Conflict):
            won.append((number, store.replace(NAME, b"%d" % number, version)))

    threads = [Thread(target=write, args=(number, stores[number % 2])) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((number, now),) = won
    assert stores[0].get(NAME) == (b"%d" % number, now)


def test_a_store_that_keeps_conditions_passes_the_probe(stores):
    mine, _ = stores
    version = mine.create(NAME, b"{}")
    mine.probe(NAME, b"{}")
    assert mine.get(NAME) == (b"{}", version)
