"""``import``: rebuild a lockfile from what the API knows, by batch id or by the manifest's stamps."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from manifest_runner.commands.setup.context import Context
from manifest_runner.commands.setup.open_session import working_session
from manifest_runner.commands.setup.options import Target
from manifest_runner.commands.setup.target import load_target
from manifest_runner.commands.steps.importer import Imported, Importer
from manifest_runner.commands.steps.obstacles import missing_names
from manifest_runner.errors import UsageProblem


def import_lockfile(
    path: Path, target: Target, batch_ids: tuple[str, ...], timeout: float, context: Context
) -> Imported:
    """Add every launch that the API knows and the lockfile lacks to the lockfile. Raises RunnerError."""
    if not batch_ids and not load_target(path, target, context).document.stamp:
        raise UsageProblem(
            f"{path}: the manifest has `stamp: false`, so launches can only be found by batch: use --batch-id ID"
        )
    with working_session(path, target, context, "import") as session, ExitStack() as stack:
        importer = Importer(session)
        session.loaded.raise_errors()
        before = dict(session.lockfile.items)
        client = stack.enter_context(session.client(context.deadline(timeout)))
        if batch_ids:
            importer.take_batches(client, [*map(client.get_batch, dict.fromkeys(batch_ids))], context)
        else:
            importer.take_stamped(client)
        if importer.undecided:
            raise missing_names(path, importer.undecided)
        session.save()
        return importer.summary(before)
