"""
The trace that a record belongs to. Sources in this order: the ids that OpenTelemetry's logging instrumentation wrote on
the record, ids given as `extra`, the current span of the thread that logs.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import Any, NamedTuple, Optional

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


class TraceContext(NamedTuple):
    #: 32 and 16 lower-case hex digits; `span_id` may be empty.
    trace_id: str
    span_id: str
    flags: int


def trace_context_of(record: logging.LogRecord) -> Optional[TraceContext]:
    fields = vars(record)
    return (
        _from_texts(fields.get("otelTraceID"), fields.get("otelSpanID"), fields.get("otelTraceSampled"))
        or _from_texts(fields.get("trace_id"), fields.get("span_id"), None)
        or _current(record)
    )


def _from_texts(trace_id: Any, span_id: Any, sampled: Any) -> Optional[TraceContext]:
    if not isinstance(trace_id, str):
        return None
    trace = trace_id.lower()
    if _TRACE_ID.fullmatch(trace) is None or trace == "0" * 32:
        return None
    span = span_id.lower() if isinstance(span_id, str) else ""
    if _SPAN_ID.fullmatch(span) is None or span == "0" * 16:
        span = ""
    return TraceContext(trace, span, 1 if sampled else 0)


def _current(record: logging.LogRecord) -> Optional[TraceContext]:
    # A program that never imported the API has no current span, so this package need not import it either.
    api = sys.modules.get("opentelemetry.trace")
    if api is None or record.thread != threading.get_ident():
        return None
    try:
        context = api.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return TraceContext(f"{context.trace_id:032x}", f"{context.span_id:016x}", int(context.trace_flags))
    except Exception:  # a half-imported or unrelated module of that name
        return None
