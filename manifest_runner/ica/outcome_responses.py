"""Answers about outputs, steps and prices as values. Pure; all text is cleaned as it is read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from manifest_runner.ica.connection.redact import Cleaner
from manifest_runner.ica.data_responses import WireData, data_record
from manifest_runner.ica.outcome_model import Output, OutputData, Price, Step
from manifest_runner.ica.wire import PagedList, Text, Wire, WireError, Word, cleaned_name, decode, plain_id

_LONGEST_AMOUNT = 40
_NULL = msgspec.Raw(b"null")


class _OutputData(Wire, frozen=True):
    data_id: Word
    name: Text | None = None
    data_type: Text | None = None


class _Output(Wire, frozen=True):
    code: Word
    project_id: Text | None = None
    data: list[_OutputData] | None = None
    analysis_data: list[_OutputData] | None = None  # the same list, for old clients


class _Logs(Wire, frozen=True):
    std_err_data: WireData | None = None


class _Step(Wire, frozen=True):
    name: Word
    status: Word
    technical: bool | None = None
    exit_code: Any = None
    end_date: Text | None = None
    logs: _Logs | None = None


class _Price(Wire, frozen=True):
    amount: msgspec.Raw = _NULL
    currency: Text | None = None


class _Usage(Wire, frozen=True):
    price: _Price | None = None


_OUTPUTS = msgspec.json.Decoder(PagedList[_Output])
_STEPS = msgspec.json.Decoder(PagedList[_Step])
_USAGE = msgspec.json.Decoder(_Usage)


def read_outputs(body: bytes, clean: Cleaner) -> tuple[Output, ...]:
    """The outputs of an analysis, without the contents of folders. Raises WireError."""
    return tuple([_output(each, clean) for each in decode(body, _OUTPUTS).items])


def read_steps(body: bytes, clean: Cleaner) -> tuple[Step, ...]:
    """The steps of an analysis, those of the platform too. Raises WireError."""
    return tuple([_step(each, clean) for each in decode(body, _STEPS).items])


def read_usage(body: bytes, clean: Cleaner) -> Price | None:
    """The price of an analysis, None if the answer holds none. Raises WireError."""
    price = decode(body, _USAGE).price
    if price is None or price.amount == _NULL:
        return None
    return Price(_amount(bytes(price.amount).decode()), clean.name(price.currency or "iCredit"))


def _output(output: _Output, clean: Cleaner) -> Output:
    data = output.analysis_data if output.data is None else output.data
    return Output(
        code=clean.label(output.code),
        project=None if output.project_id is None else plain_id(output.project_id, clean),
        data=tuple([_data(each, clean) for each in data or ()]),
    )


def _data(data: _OutputData, clean: Cleaner) -> OutputData:
    kind = data.data_type or ("FOLDER" if data.data_id.startswith("fol.") else "FILE")
    return OutputData(plain_id(data.data_id, clean), clean.label(data.name or data.data_id), clean.name(kind))


def _step(step: _Step, clean: Cleaner) -> Step:
    log = None if step.logs is None else step.logs.std_err_data
    return Step(
        name=clean.label(step.name.partition("#")[2] or step.name),  # the runner's own id comes before the #
        status=clean.name(step.status),
        exit_code=_exit_code(step.exit_code),
        technical=bool(step.technical),
        end_date=cleaned_name(step.end_date, clean),
        stderr=None if log is None else data_record(log, clean),
    )


def _exit_code(code: Any) -> int | None:
    """Accepts a number or text: the service has sent both."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        return int(code)
    return code if type(code) is int else None


def _amount(spelled: str) -> str:
    """A number as it was sent, even as text."""
    amount = spelled.strip().strip('"')
    try:
        if len(amount) <= _LONGEST_AMOUNT and Decimal(amount).is_finite():
            return amount
    except InvalidOperation:
        pass
    raise WireError("the price is not a number")
