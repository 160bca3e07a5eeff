"""
A log record as plain, immutable data.

It is made on the thread that logs, because messages and `extra` may refer to objects that change a moment later. All
slower work (encoding, compression, the network) happens on the handler's own thread.
"""

from __future__ import annotations

import base64
import logging
import traceback
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from .trace_context import TraceContext, trace_context_of

#: Types that `plain_value` returns for an attribute value; containers hold only these types.
Plain = Union[None, bool, int, float, str, bytes, List[Any], Dict[str, Any]]

#: Limits of one value: characters of a text, nesting of containers, entries of one container.
TEXT_MAX = 64 * 1024
NESTING_MAX = 8
ENTRIES_MAX = 256

_STANDARD_FIELDS = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
    # Put there by OpenTelemetry's logging instrumentation; they become the trace context.
    "otelTraceID",
    "otelSpanID",
    "otelTraceSampled",
    "otelServiceName",
}


class Entry(NamedTuple):
    time_ns: int
    severity_number: int
    severity_text: str
    body: Plain
    #: Name of the logger.
    scope: str
    attributes: Dict[str, Plain]
    trace: Optional[TraceContext]
    #: Approximate memory use in bytes.
    size: int


def make_entry(record: logging.LogRecord, formatter: Optional[logging.Formatter]) -> Entry:
    """Never raises because of the program's values: a message that cannot be formatted is kept unformatted."""
    attributes: Dict[str, Plain] = {}
    body = _body_of(record, formatter, attributes)
    for key, value in vars(record).items():
        if key not in _STANDARD_FIELDS and not key.startswith("_"):
            attributes[_text(str(key))] = plain_value(value)
    _add_place(record, attributes)
    _add_exception(record, attributes)
    size = 300 + _size_of(body) + sum(len(key) + _size_of(value) + 60 for key, value in attributes.items())
    return Entry(
        # A float holds the time to about a quarter of a microsecond, so finer digits would be noise.
        time_ns=round(record.created * 1_000_000) * 1000,
        severity_number=severity_number(record.levelno),
        severity_text=_text(str(record.levelname)),
        body=body,
        scope=_text(str(record.name)),
        attributes=attributes,
        trace=trace_context_of(record),
        size=size,
    )


def severity_number(level: int) -> int:
    """OpenTelemetry's scale (1 trace … 24 fatal) for Python's (10 debug … 50 critical); levels between keep their order."""
    if level < 10:
        return max(1, min(4, level // 3 + 1))
    return min(24, 5 + 4 * (level // 10 - 1) + min(3, level % 10)) if level < 60 else 24


def _body_of(
    record: logging.LogRecord, formatter: Optional[logging.Formatter], attributes: Dict[str, Plain]
) -> Plain:
    try:
        if formatter is not None:
            return _text(formatter.format(record))
        if isinstance(record.msg, Mapping) and not record.args:
            return plain_value(record.msg)
        return _text(record.getMessage())
    except Exception as error:  # the program's own __str__, or arguments that do not fit the format
        attributes["log.format_error"] = _text(f"{type(error).__name__}: {_safe_str(error)}")
        return _safe_str(record.msg)


def _add_place(record: logging.LogRecord, attributes: Dict[str, Plain]) -> None:
    if record.pathname:
        attributes["code.file.path"] = _text(str(record.pathname))
        attributes["code.line.number"] = int(record.lineno)
    if record.funcName:
        attributes["code.function.name"] = _text(str(record.funcName))
    if record.thread is not None:
        attributes["thread.id"] = int(record.thread)
    if record.threadName:
        attributes["thread.name"] = _text(str(record.threadName))
    if record.stack_info:
        attributes["code.stacktrace"] = _text(str(record.stack_info))


def _add_exception(record: logging.LogRecord, attributes: Dict[str, Plain]) -> None:
    if isinstance(record.exc_info, tuple) and record.exc_info[0] is not None:
        kind, error, trace = record.exc_info
        attributes["exception.type"] = _type_name(kind)
        attributes["exception.message"] = _safe_str(error)
        try:
            stack = "".join(traceback.format_exception(kind, error, trace))
        except Exception:  # an exception whose __str__ fails
            stack = "".join(traceback.format_tb(trace))
        attributes["exception.stacktrace"] = _text(stack)
    elif record.exc_text:
        attributes["exception.stacktrace"] = _text(str(record.exc_text))


def _type_name(kind: type) -> str:
    module = getattr(kind, "__module__", "")
    return kind.__qualname__ if module in ("builtins", "") else f"{module}.{kind.__qualname__}"


def plain_value(value: Any, depth: int = 0) -> Plain:
    """A copy in plain types. Any other value becomes its text."""
    # Converted to the exact type, because subclasses (enums, numpy numbers) may print differently.
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, int):
        number = int(value)
        return number if -(2**63) <= number < 2**63 else str(number)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value[:TEXT_MAX])
    if depth < NESTING_MAX:
        container = _plain_container(value, depth)
        if container is not None:
            return container
    return _safe_str(value)


def _plain_container(value: Any, depth: int) -> Union[List[Any], Dict[str, Any], None]:
    try:
        if isinstance(value, Mapping):
            pairs = list(value.items())[:ENTRIES_MAX]
            return {_safe_str(key): plain_value(item, depth + 1) for key, item in pairs}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [plain_value(item, depth + 1) for item in list(value)[:ENTRIES_MAX]]
    except Exception:  # changed by another thread while it was copied, or a mapping of the program's own
        pass
    return None


def _safe_str(value: Any) -> str:
    try:
        return _text(str(value))
    except Exception as error:
        return f"<{type(value).__name__} without text: {type(error).__name__}>"


def _text(text: str) -> str:
    if len(text) > TEXT_MAX:
        text = text[:TEXT_MAX] + "… (cut)"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # lone surrogates, as from file names
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text


def _size_of(value: Plain) -> int:
    if isinstance(value, (str, bytes)):
        return len(value) + 50
    if isinstance(value, list):
        return 60 + sum(_size_of(item) for item in value)
    if isinstance(value, dict):
        return 200 + sum(len(key) + 50 + _size_of(item) for key, item in value.items())
    return 32


def any_value(value: Plain) -> Dict[str, Any]:
    """OTLP JSON of one value (opentelemetry-proto common.proto AnyValue: 64-bit integers as text, bytes as base64)."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": _double(value)}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode("ascii")}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"kvlistValue": {"values": key_values(value)}}


def key_values(attributes: Mapping[str, Plain]) -> List[Dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def _double(value: float) -> Union[float, str]:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def by_scope(entries: List[Entry]) -> List[Tuple[str, List[Entry]]]:
    """Entries grouped by logger, in order of first appearance."""
    groups: Dict[str, List[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.scope, []).append(entry)
    return list(groups.items())
