"""Groups of options: a command receives their values as one typed value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

import click
import msgspec

from manifest_runner.errors import UsageProblem

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[F], F]


def option_group(name: str, struct: type[msgspec.Struct], *options: Option[Callable[..., Any]]) -> Option[F]:
    """Options that a command receives as one ``struct``, in its parameter ``name``.

    Each option fills the field of its own name; fields without an option keep their default.
    """
    names = _names_of(options)

    def decorate(function: F) -> F:
        @wraps(function)
        def command(**values: Any) -> Any:
            given = {field: values.pop(field) for field in names}
            try:
                value = struct(**given)
            except ValueError as e:  # a struct may check what no single option can
                raise UsageProblem(str(e)) from e
            return function(**values, **{name: value})

        for option in reversed(options):
            command = option(command)
        return command  # type: ignore[return-value]

    return decorate


def ignored(name: str, options: Option[Callable[..., Any]]) -> Option[Callable[..., Any]]:
    """Options that a command accepts but has no use for, so that a command line can be reused. Help leaves them out.

    Must be the innermost decorator.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**values: Any) -> Any:
            del values[name]
            return function(**values)

        with_options = options(command)
        for option in with_options.__click_params__:  # type: ignore[attr-defined]
            option.hidden = True
        return with_options

    return decorate


def _names_of(options: Sequence[Option[Callable[..., Any]]]) -> list[str]:
    def with_these_alone() -> None:
        """Not called: click collects a command's parameters on its function."""

    for option in options:
        option(with_these_alone)
    return [parameter.name for parameter in click.command()(with_these_alone).params if parameter.name]
