"""
The handler's own thread: takes entries off the queue, sends them in batches, and retries while that may help. It counts
and reports what was lost. Nothing here runs on a thread of the program except `stop` and `flush`, which wait.
"""

from __future__ import annotations

import queue
import random
import sys
import threading
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Union

from .entry import Entry
from .exporter import Exporter, Refused, RetryLater

_BACKOFF_FIRST_SECONDS = 0.25
_BACKOFF_MAX_SECONDS = 30.0
#: Lost records are reported on stderr at most this often.
_REPORT_EVERY_SECONDS = 60.0

#: Marks a place in the queue; it is set once everything before it is sent or lost.
Marker = threading.Event
Item = Union[Entry, Marker]


class Policy(NamedTuple):
    batch_records: int
    batch_bytes: int
    batch_wait_seconds: float
    request_timeout_seconds: float
    #: A batch is given up when this much time has passed since its first try.
    retry_seconds: float


class Delivery:
    def __init__(self, exporter: Exporter, policy: Policy, report: Optional[Callable[[str], None]]) -> None:
        self._exporter = exporter
        self._policy = policy
        self._report = report or _report_on_stderr
        # A signal handler or finalizer may call SimpleQueue.put inside another call of it, without a deadlock.
        self.queue: "queue.SimpleQueue[Item]" = queue.SimpleQueue()
        #: Bytes that left the queue, counted only by this thread; the handler counts those that entered.
        self.bytes_out = 0
        self.sent = 0
        self.retries = 0
        self.in_flight = 0
        self._dropped: Dict[str, int] = {}
        self._dropped_lock = threading.RLock()
        self._told = 0
        self._reported_at = float("-inf")
        self._stop_at: Optional[float] = None
        self._wake = threading.Event()
        self._done = threading.Event()
        self._starting = threading.Lock()
        self._thread: Optional[threading.Thread] = None

    def ensure_started(self) -> None:
        """Raises `RuntimeError` when the system cannot start another thread."""
        # Another thread, or the code that a signal interrupted here, may be starting it already.
        if self._thread is not None or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="clew-logging", daemon=True)
                thread.start()
                self._thread = thread
        finally:
            self._starting.release()

    def is_own_thread(self) -> bool:
        return self._thread is not None and self._thread.ident == threading.get_ident()

    def drop(self, reason: str, count: int = 1) -> None:
        with self._dropped_lock:
            self._dropped[reason] = self._dropped.get(reason, 0) + count

    def dropped(self) -> Dict[str, int]:
        with self._dropped_lock:
            return dict(self._dropped)

    def flush(self, timeout_seconds: float) -> bool:
        """Waits until everything queued before the call is sent or lost; returns False when the time was too short."""
        if self._thread is None or self.is_own_thread():
            return self.queue.empty()
        marker = Marker()
        self.queue.put(marker)
        return marker.wait(timeout_seconds)

    def stop(self, timeout_seconds: float) -> None:
        """Sends what is queued within the time, then counts and reports the rest. Safe to call twice."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + timeout_seconds
        self._wake.set()
        self.queue.put(Marker())
        if self._thread is None or not self._thread.is_alive():
            self._drain()  # no thread could be started
        elif not self.is_own_thread():
            # One second longer, so that the thread can count what it could not send.
            self._done.wait(max(0.0, self._stop_at - time.monotonic()) + 1.0)
        left = self.queue.qsize() + self.in_flight
        if not self._done.is_set() and left > 0:
            self.drop("exit deadline", left)
        self._tell(force=True)

    def _run(self) -> None:
        _suppress_instrumentation()
        while self._stop_at is None:
            self._round(wait=True)
        self._drain()

    def _drain(self) -> None:
        try:
            while not self.queue.empty():
                self._round(wait=False)
            self._exporter.close()
        finally:
            self._done.set()

    def _round(self, wait: bool) -> None:
        batch: List[Entry] = []
        markers: List[Marker] = []
        try:
            self._collect(batch, markers, wait)
            if batch:
                self._deliver(batch)
        except Exception as error:  # a bug here must neither end the thread nor hide
            self.drop(f"internal error: {type(error).__name__}: {error}", len(batch))
        finally:
            self.in_flight = 0
            for marker in markers:
                marker.set()
        self._tell()

    def _collect(self, batch: List[Entry], markers: List[Marker], wait: bool) -> None:
        deadline: Optional[float] = None
        size = 0
        while len(batch) < self._policy.batch_records and size < self._policy.batch_bytes:
            try:
                if not wait:
                    item = self.queue.get_nowait()
                elif deadline is None:
                    item = self.queue.get()
                else:
                    item = self.queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return
            if isinstance(item, Marker):
                markers.append(item)
                if wait:
                    return
                continue
            batch.append(item)
            self.in_flight = len(batch)
            size += item.size
            self.bytes_out += item.size
            deadline = deadline or time.monotonic() + self._policy.batch_wait_seconds

    def _deliver(self, batch: List[Entry]) -> None:
        lost = sum(self.dropped().values())
        notice = self._loss_notice(lost)
        body = self._exporter.encode(batch + [notice] if notice is not None else batch)
        try:
            rejected, reason = self._send(body)
        except Refused as error:
            if error.too_large and len(batch) > 1:
                middle = len(batch) // 2
                self._deliver(batch[:middle])
                self._deliver(batch[middle:])
                return
            self.drop(f"refused: {error}", len(batch))
            return
        except RetryLater as error:
            self.drop("exit deadline" if self._is_overdue() else f"gave up retrying: {error}", len(batch))
            return
        rejected = min(rejected, len(batch))
        self.sent += len(batch) - rejected
        if rejected > 0:
            self.drop(f"refused: {reason}", rejected)
        if notice is not None:
            self._told = lost

    def _send(self, body: bytes) -> "tuple[int, str]":
        """Sends until the batch is confirmed, rejected, or out of time (then the last `RetryLater` is raised)."""
        policy = self._policy
        first = time.monotonic()
        backoff = _BACKOFF_FIRST_SECONDS
        while True:
            try:
                outcome = self._exporter.send(body, self._time_for_request())
                return outcome.rejected, outcome.reason
            except RetryLater as error:
                # Some jitter, so that many programs do not retry at the same moment.
                pause = max(error.after_seconds, backoff * random.uniform(0.5, 1.0))
                end = first + policy.retry_seconds
                if self._stop_at is not None:
                    end = min(end, self._stop_at)
                if time.monotonic() + pause >= end:
                    if self._stop_at is not None or time.monotonic() + backoff >= end:
                        raise
                    pause = max(0.0, end - time.monotonic())
                self._tell(str(error))
                self._pause(pause)
                self.retries += 1
                backoff = min(backoff * 2, _BACKOFF_MAX_SECONDS)

    def _pause(self, seconds: float) -> None:
        """Returns early when the handler is being closed, because then there is time for only one more try."""
        if self._stop_at is None:
            self._wake.wait(seconds)
        else:
            time.sleep(min(seconds, max(0.0, self._stop_at - time.monotonic())))

    def _time_for_request(self) -> float:
        limit = self._policy.request_timeout_seconds
        if self._stop_at is not None:
            left = self._stop_at - time.monotonic()
            if left <= 0:
                raise RetryLater("the program is ending")
            limit = min(limit, left)
        return limit

    def _is_overdue(self) -> bool:
        return self._stop_at is not None

    def _loss_notice(self, lost: int) -> Optional[Entry]:
        """A record that says how many others were lost, so that the loss is visible among the records."""
        count = lost - self._told
        if count <= 0:
            return None
        return Entry(
            time_ns=time.time_ns(),
            severity_number=13,
            severity_text="WARNING",
            body=f"{count} log records of this process were lost",
            scope="clew_logging",
            attributes={"clew.dropped": count, "clew.dropped.reasons": ", ".join(self.dropped())},
            trace=None,
            size=500,
        )

    def _tell(self, trouble: str = "", force: bool = False) -> None:
        now = time.monotonic()
        dropped = self.dropped()
        if (not dropped and not trouble) or (not force and now - self._reported_at < _REPORT_EVERY_SECONDS):
            return
        self._reported_at = now
        losses = ", ".join(f"{count} ({reason})" for reason, count in dropped.items())
        parts = [f"cannot send log records, trying again: {trouble}" if trouble else "", f"lost so far: {losses}" if losses else ""]
        try:
            self._report("; ".join(part for part in parts if part))
        except Exception:  # the program's own function failed, or stderr is closed
            pass


def _report_on_stderr(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"clew_logging: {text}\n")


def _suppress_instrumentation() -> None:
    """Keeps OpenTelemetry, if it is loaded, from tracing the requests of this thread."""
    context = sys.modules.get("opentelemetry.context")
    if context is None:
        return
    try:
        for key in ("suppress_instrumentation", "suppress_http_instrumentation"):
            context.attach(context.set_value(key, True))
    except Exception:  # another version of the API
        pass
