"""
OTLP/HTTP with JSON bodies (opentelemetry-proto, docs/specification.md, "OTLP/HTTP").

`POST <endpoint>/v1/logs`, gzip. 200 is success, and its `partialSuccess` says what was rejected. 429, 502, 503 and 504 must
be sent again, not before `Retry-After`. Anything else is final.
"""

from __future__ import annotations

import email.utils
import encodings.idna  # noqa: F401  # sockets load it at first use; after a fork during that load the child lacks it
import gzip
import http.client
import json
import os
import ssl
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Union
from urllib.parse import unquote, urlsplit

from .entry import Entry, Plain, any_value, by_scope, key_values
from .exporter import Outcome, Refused, RetryLater
from .version import version

_RETRYABLE = (429, 502, 503, 504)
#: An answer is a few hundred bytes long; no more than this is read.
_ANSWER_MAX = 64 * 1024
_Connection = Union[http.client.HTTPConnection, http.client.HTTPSConnection]


class OtlpExporter:
    def __init__(
        self,
        endpoint: Optional[str],
        resource: Callable[[], Dict[str, Plain]],
        headers: Optional[Mapping[str, str]] = None,
        use_gzip: bool = True,
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        url = urlsplit(logs_url(endpoint))
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"cannot use endpoint {url.geturl()!r}: expected http://host:port or https://host:port")
        self._secure = url.scheme == "https"
        self._host = url.hostname
        self._port = url.port or (443 if self._secure else 80)
        self._path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._resource = resource
        self._use_gzip = use_gzip
        self._ssl_context = ssl_context
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"clew-logging/{version}",
            **_headers_from_environment(),
            **dict(headers or {}),
        }
        if use_gzip:
            self._headers["Content-Encoding"] = "gzip"
        self._connection: Optional[_Connection] = None

    def encode(self, entries: List[Entry]) -> bytes:
        scopes = [
            {"scope": {"name": scope}, "logRecords": [_log_record(entry) for entry in group]}
            for scope, group in by_scope(entries)
        ]
        request = {"resourceLogs": [{"resource": {"attributes": key_values(self._resource())}, "scopeLogs": scopes}]}
        body = json.dumps(request, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
        # The same bytes at every try let the receiver recognise a repetition, so the gzip header has no time.
        return gzip.compress(body, 5, mtime=0) if self._use_gzip else body

    def send(self, body: bytes, timeout_seconds: float) -> Outcome:
        reused = self._connection is not None
        try:
            return self._exchange(body, timeout_seconds)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            self.close()
            # The other side may have closed an idle connection; that says nothing about the receiver.
            if not reused:
                raise RetryLater(_describe(error)) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise RetryLater(_describe(error)) from error
        try:
            return self._exchange(body, timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise RetryLater(_describe(error)) from error

    def _exchange(self, body: bytes, timeout_seconds: float) -> Outcome:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect(timeout_seconds)
        connection.timeout = timeout_seconds
        if connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        connection.request("POST", self._path, body, self._headers)
        response = connection.getresponse()
        answer = response.read(_ANSWER_MAX)
        if not response.isclosed() or response.will_close:
            self.close()
        return _outcome(response.status, response.getheader("Retry-After"), answer)

    def _connect(self, timeout_seconds: float) -> _Connection:
        if self._secure:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=timeout_seconds, context=self._ssl_context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout_seconds)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            # Closing a TLS socket would send a close message on the connection that the parent still uses.
            os.close(connection.sock.detach())


def logs_url(endpoint: Optional[str]) -> str:
    """The URL for logs: an argument or `OTEL_EXPORTER_OTLP_ENDPOINT` is a base, the `_LOGS_` variable is complete."""
    if endpoint is None:
        complete = os.environ.get("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "")
        if complete:
            return complete
        endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "") or "http://127.0.0.1:4318"
    base = endpoint.rstrip("/")
    return base if base.endswith("/v1/logs") else base + "/v1/logs"


def _headers_from_environment() -> Dict[str, str]:
    text = os.environ.get("OTEL_EXPORTER_OTLP_LOGS_HEADERS") or os.environ.get("OTEL_EXPORTER_OTLP_HEADERS") or ""
    headers: Dict[str, str] = {}
    for pair in text.split(","):
        key, separator, value = pair.partition("=")
        if separator and key.strip():
            headers[key.strip()] = unquote(value.strip())
    return headers


def _log_record(entry: Entry) -> Dict[str, Any]:
    record: Dict[str, Any] = {
        "timeUnixNano": str(entry.time_ns),
        "observedTimeUnixNano": str(entry.time_ns),
        "severityNumber": entry.severity_number,
        "severityText": entry.severity_text,
        "body": any_value(entry.body),
        "attributes": key_values(entry.attributes),
    }
    if entry.trace is not None:
        record["traceId"] = entry.trace.trace_id
        record["flags"] = entry.trace.flags
        if entry.trace.span_id:
            record["spanId"] = entry.trace.span_id
    return record


def _outcome(status: int, retry_after: Optional[str], answer: bytes) -> Outcome:
    if 200 <= status < 300:
        return Outcome(*_partial_success(answer))
    text = answer[:300].decode("utf-8", "replace").strip()
    reason = f"HTTP {status}" + (f": {text}" if text else "")
    if status in _RETRYABLE:
        raise RetryLater(reason, retry_after_seconds(retry_after))
    raise Refused(reason, too_large=status == 413)


def _partial_success(answer: bytes) -> Tuple[int, str]:
    try:
        partial = json.loads(answer or b"{}").get("partialSuccess") or {}
        return int(partial.get("rejectedLogRecords") or 0), str(partial.get("errorMessage") or "")
    except (ValueError, AttributeError, TypeError):
        return 0, ""  # a success, whatever its body


def retry_after_seconds(text: Optional[str]) -> float:
    """`Retry-After` in seconds or as an HTTP date (RFC 9110 §10.2.3); 0 when absent or invalid."""
    if not text:
        return 0.0
    try:
        return max(0.0, float(int(text)))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
