"""Send a batch: journal it, POST it, journal the answer (see ``journal`` for the reasons)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from manifest_runner.errors import Refused, Unreachable
from manifest_runner.launch.batches import PreparedBatch, journaled
from manifest_runner.launch.environment import LaunchEnvironment
from manifest_runner.launch.journal.journal import Post
from manifest_runner.launch.record import record_answer


def submit(env: LaunchEnvironment, batch: PreparedBatch, *, stamped: bool, is_retry: bool) -> None:
    """Journal a batch, POST it, journal the answer. Raises Refused, Unreachable, BadState."""
    items = tuple(map(journaled, batch.launches))
    at, server_at = env.clock(), env.client.server_now()
    post = Post(batch.key, batch.body, at, stamped, env.client.user, items, server_at, env.origin, is_retry)
    env.journal.post(post)
    send(env, post, again=False)


def send(env: LaunchEnvironment, post: Post, *, again: bool) -> None:
    """POST what the journal holds; ``again`` if an earlier try may have been executed."""
    try:
        batch = env.client.create_batch(post.key, post.body, _before_each_try(env, post, again=again), env.before_body)
    except Refused as e:
        # A refusal says nothing about an earlier try: it can be a gateway's, or be given before the server looks at the
        # key. Not even a 422 is believed, since a batch that is forgotten here could be launched under another key.
        if not (e.maybe_executed or again):
            env.journal.release(post.key)
        else:
            env.notify(
                "an earlier try of this batch got no answer and may have been executed, so the batch stays in the "
                "journal. Fix the cause and run again. If ICA keeps refusing it, a run looks for its analyses after "
                "an hour, or at once with --adopt now"
            )
        raise
    except Unreachable as e:
        if not (e.maybe_executed or again):
            env.journal.release(post.key)
        raise
    env.journal.answer(post.key, batch.id, batch.status)
    env.after_post()
    record_answer(env.lockfile, env.journal.answers[-1])
    env.journal.forget_body()


def _before_each_try(env: LaunchEnvironment, post: Post, *, again: bool) -> Callable[[], None]:
    """Record every try but the first before it is made, since what it launches is younger than the first try."""
    tries = count(int(again))

    def before() -> None:
        env.before_post()
        if next(tries):
            env.journal.send_again(post.key, env.client.server_now() or env.clock())

    return before
