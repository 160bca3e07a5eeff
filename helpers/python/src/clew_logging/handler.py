"""The `logging.Handler`: turns a record into plain data and puts it on a bounded queue."""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import ssl
import sys
import threading
import weakref
from typing import Any, Callable, Dict, Mapping, Optional

from .delivery import Delivery, Policy
from .entry import Plain, make_entry
from .exporter import Exporter
from .forward import ForwardExporter
from .otlp import OtlpExporter
from .resource import make_resource
from .stats import Stats

#: A record may log while it is being formatted, and so may that record; deeper nesting is a loop.
_NESTED_MAX = 3


class ClewHandler(logging.Handler):
    """
    Sends log records to clew in the background.

    `protocol` is `"otlp"` (OTLP/HTTP, the default; endpoint from `OTEL_EXPORTER_OTLP_ENDPOINT`, else
    `http://127.0.0.1:4318`) or `"forward"` (Fluentd Forward with acknowledgements; `tcp://127.0.0.1:24224`, `tls://…`).

    The body is only the message: time, level, logger and exception have fields of their own, and `basicConfig` gives every
    handler a formatter, wanted or not. `use_formatter=True` sends the formatter's text instead.

    It never blocks and never raises. Past `queue_records` or `queue_bytes` new records are dropped and counted (`stats()`).
    Losses are reported on stderr (or to `report`) at most once a minute, and sent to the receiver in a record of their own.
    At exit, what is queued is sent within `exit_timeout_seconds`. Raises `ValueError` for invalid arguments.
    """

    def __init__(
        self,
        endpoint: Optional[str] = None,
        *,
        service_name: Optional[str] = None,
        resource_attributes: Optional[Mapping[str, Any]] = None,
        protocol: str = "otlp",
        headers: Optional[Mapping[str, str]] = None,
        compress: bool = True,
        tag: str = "python",
        shared_key: Optional[str] = None,
        user: str = "",
        password: str = "",
        ssl_context: Optional[ssl.SSLContext] = None,
        level: int = logging.NOTSET,
        use_formatter: bool = False,
        queue_records: int = 10_000,
        queue_bytes: int = 16 * 1024 * 1024,
        batch_records: int = 512,
        batch_bytes: int = 1024 * 1024,
        batch_wait_seconds: float = 0.5,
        request_timeout_seconds: float = 10.0,
        retry_seconds: float = 300.0,
        exit_timeout_seconds: float = 5.0,
        report: Optional[Callable[[str], None]] = None,
    ) -> None:
        super().__init__(level)
        if min(queue_records, queue_bytes, batch_records, batch_bytes) < 1:
            raise ValueError("cannot use a queue or batch of nothing: expected at least 1")
        self._use_formatter = use_formatter
        self._service_name = service_name
        self._resource_attributes = dict(resource_attributes or {})
        self._resource: Optional[Dict[str, Plain]] = None
        self._exporter: Exporter
        if protocol == "otlp":
            self._exporter = OtlpExporter(endpoint, self._get_resource, headers, compress, ssl_context)
        elif protocol == "forward":
            self._exporter = ForwardExporter(
                endpoint, self._get_resource, tag, shared_key, user, password, ssl_context
            )
        else:
            raise ValueError(f"cannot use protocol {protocol!r}: expected 'otlp' or 'forward'")
        self._queue_records = queue_records
        self._queue_bytes = queue_bytes
        self._policy = Policy(batch_records, batch_bytes, batch_wait_seconds, request_timeout_seconds, retry_seconds)
        self._exit_timeout_seconds = exit_timeout_seconds
        self._report = report
        self._closed = False
        self._begin()
        _open_handlers.add(self)
        # Registered after logging's own exit hook, so it runs before that hook.
        atexit.register(_close_at_exit, weakref.ref(self))

    def _begin(self) -> None:
        """Sets the state of one process: at the start, and again in a child after a fork."""
        self._pid = os.getpid()
        # One step of `count` cannot be interrupted; `+= 1` can, by a signal handler that logs.
        self._emitted = itertools.count()
        self._looked = 0
        self._bytes_in = 0
        self._exit_known = False
        self._nested = threading.local()
        self._delivery = Delivery(self._exporter, self._policy, self._report)

    def emit(self, record: logging.LogRecord) -> None:
        if self._pid != os.getpid():
            self._after_fork()
        delivery = self._delivery
        # Records logged by the sending itself would be sent too, and so log more records without end.
        if delivery.is_own_thread():
            return
        next(self._emitted)
        if self._closed:
            delivery.drop("logged after close")
            return
        depth = getattr(self._nested, "depth", 0)
        if depth >= _NESTED_MAX:
            delivery.drop("nested too deep")
            return
        self._nested.depth = depth + 1
        try:
            self._enqueue(record, delivery)
        except Exception as error:
            delivery.drop(f"internal error: {type(error).__name__}: {error}")
        finally:
            self._nested.depth = depth

    def _enqueue(self, record: logging.LogRecord, delivery: Delivery) -> None:
        if delivery.queue.qsize() >= self._queue_records:
            delivery.drop("queue full")
            return
        entry = make_entry(record, self.formatter if self._use_formatter else None)
        if delivery.queue.qsize() == 0:
            self._bytes_in = delivery.bytes_out  # corrects what an interrupted addition may have lost
        if self._bytes_in - delivery.bytes_out + entry.size > self._queue_bytes:
            delivery.drop("queue full")
            return
        self._bytes_in += entry.size
        delivery.queue.put(entry)
        self._hook_multiprocessing_exit()
        try:
            delivery.ensure_started()
        except RuntimeError:
            pass  # no thread yet: the entry waits for the next record or for close

    def _hook_multiprocessing_exit(self) -> None:
        """Workers of multiprocessing exit without atexit. They run finalizers instead, and a fork clears those of the parent."""
        if self._exit_known:
            return
        self._exit_known = True
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.Finalize(None, _close_at_exit, args=(weakref.ref(self),), exitpriority=0)

    def stats(self) -> Stats:
        delivery = self._delivery
        emitted = next(self._emitted) - self._looked
        self._looked += 1
        return Stats(
            emitted=emitted,
            sent=delivery.sent,
            pending=delivery.queue.qsize() + delivery.in_flight,
            dropped=delivery.dropped(),
            retries=delivery.retries,
        )

    def flush(self, timeout_seconds: Optional[float] = None) -> bool:  # type: ignore[override]
        """Waits until everything logged so far is sent, up to the exit timeout or the given time; returns False if it is not."""
        if self._closed or self._pid != os.getpid():
            return True
        return self._delivery.flush(self._exit_timeout_seconds if timeout_seconds is None else timeout_seconds)

    def close(self) -> None:
        """Sends what is queued within the exit timeout, counts and reports the rest, and accepts no more records."""
        if not self._closed and self._pid == os.getpid():
            self._closed = True
            self._delivery.stop(self._exit_timeout_seconds)
        _open_handlers.discard(self)
        super().close()

    def _get_resource(self) -> Dict[str, Plain]:
        if self._resource is None:
            self._resource = make_resource(self._service_name, self._resource_attributes)
        return self._resource

    def _after_fork(self) -> None:
        """In a child: starts again, because the parent's thread is gone, and the parent sends its own records."""
        self._exporter.forget()
        self._resource = None
        self._begin()


_open_handlers: "weakref.WeakSet[ClewHandler]" = weakref.WeakSet()


def _close_at_exit(reference: "weakref.ref[ClewHandler]") -> None:
    handler = reference()
    if handler is not None:
        handler.close()


def _restart_in_child() -> None:
    for handler in list(_open_handlers):
        handler._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_in_child)
