"""
Fluentd Forward (wiki "Forward Protocol Specification v1"), CompressedPackedForward with acknowledgement:

    -> [tag, gzip([time, record]…), {"chunk": id, "size": n, "compressed": "gzip"}]
    <- {"ack": id}

With a shared key the receiver starts with HELO; PING and PONG then prove to each side that the other has the key:

    <- ["HELO", {"nonce": …, "auth": …, "keepalive": …}]
    -> ["PING", hostname, salt, sha512(salt hostname nonce key), user, sha512(auth user password)]
    <- ["PONG", true, "", hostname, sha512(salt hostname nonce key)]
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import os
import socket
import ssl
import time
from typing import Any, Callable, Dict, List, Optional
from urllib.parse import urlsplit

from .entry import Entry, Plain
from .exporter import Outcome, Refused, RetryLater
from .msgpack import EventTime, NeedMore, pack, unpack

#: An acknowledgement or HELO takes a hundred bytes.
_ANSWER_MAX = 64 * 1024


class ForwardExporter:
    def __init__(
        self,
        endpoint: Optional[str],
        resource: Callable[[], Dict[str, Plain]],
        tag: str,
        shared_key: Optional[str] = None,
        user: str = "",
        password: str = "",
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        text = endpoint or "tcp://127.0.0.1:24224"
        url = urlsplit(text if "://" in text else f"tcp://{text}")
        if url.scheme not in ("tcp", "tls") or not url.hostname:
            raise ValueError(f"cannot use endpoint {text!r}: expected tcp://host:port or tls://host:port")
        self._host = url.hostname
        self._port = url.port or 24224
        self._ssl_context = ssl_context or (ssl.create_default_context() if url.scheme == "tls" else None)
        self._resource = resource
        self._tag = tag
        self._shared_key = shared_key
        self._user = user
        self._password = password
        self._socket: Optional[socket.socket] = None
        self._received = b""

    def encode(self, entries: List[Entry]) -> bytes:
        shared = self._resource()
        packed = b"".join(pack([EventTime(entry.time_ns), _record(entry, shared)]) for entry in entries)
        chunk = base64.b64encode(os.urandom(16)).decode("ascii")
        options = {"chunk": chunk, "size": len(entries), "compressed": "gzip"}
        return pack([self._tag, gzip.compress(packed, 5, mtime=0), options])

    def send(self, body: bytes, timeout_seconds: float) -> Outcome:
        deadline = time.monotonic() + timeout_seconds
        message, _ = unpack(body)
        chunk = message[2]["chunk"]
        try:
            connection = self._socket
            if connection is None:
                connection = self._connect(deadline)
            connection.settimeout(_left(deadline))
            connection.sendall(body)
            self._await_ack(connection, chunk, deadline)
        except Refused:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self.close()
            raise RetryLater(f"{type(error).__name__}: {error}") from error
        return Outcome(0, "")

    def _await_ack(self, connection: socket.socket, chunk: str, deadline: float) -> None:
        while True:
            answer = self._read(connection, deadline)
            if isinstance(answer, dict) and answer.get("ack") == chunk:
                return
            # Anything else belongs to an earlier try whose acknowledgement came too late.

    def _connect(self, deadline: float) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), timeout=_left(deadline))
        try:
            if self._ssl_context is not None:
                connection = self._ssl_context.wrap_socket(connection, server_hostname=self._host)
            self._received = b""
            if self._shared_key is not None:
                self._authenticate(connection, self._shared_key, deadline)
        except BaseException:
            connection.close()
            raise
        self._socket = connection
        return connection

    def _authenticate(self, connection: socket.socket, key: str, deadline: float) -> None:
        hello = self._read(connection, deadline)
        if not (isinstance(hello, list) and len(hello) == 2 and hello[0] == "HELO" and isinstance(hello[1], dict)):
            raise ValueError("the receiver did not open with HELO; is a shared key set there?")
        nonce, auth = _raw(hello[1].get("nonce", b"")), _raw(hello[1].get("auth", b""))
        salt, name = os.urandom(16), socket.gethostname()
        password = _digest(auth, self._user.encode(), self._password.encode()) if auth else ""
        digest = _digest(salt, name.encode(), nonce, key.encode())
        connection.sendall(pack(["PING", name, salt, digest, self._user if auth else "", password]))
        pong = self._read(connection, deadline)
        if not (isinstance(pong, list) and len(pong) == 5 and pong[0] == "PONG"):
            raise ValueError("the receiver did not answer PING with PONG")
        if pong[1] is not True:
            raise Refused(f"the receiver refused the shared key or user: {pong[2]}")
        expected = _digest(salt, str(pong[3]).encode(), nonce, key.encode())
        if not hmac.compare_digest(expected, str(pong[4])):
            raise Refused("the receiver does not know the shared key")

    def _read(self, connection: socket.socket, deadline: float) -> Any:
        while True:
            if self._received:
                try:
                    value, end = unpack(self._received)
                    self._received = self._received[end:]
                    return value
                except NeedMore:
                    if len(self._received) > _ANSWER_MAX:
                        raise ValueError("the answer is too long") from None
            connection.settimeout(_left(deadline))
            more = connection.recv(4096)
            if not more:
                raise ConnectionResetError("the receiver closed the connection before it confirmed")
            self._received += more

    def close(self) -> None:
        connection, self._socket = self._socket, None
        self._received = b""
        if connection is not None:
            connection.close()

    def forget(self) -> None:
        connection, self._socket = self._socket, None
        self._received = b""
        if connection is not None:
            # Closing a TLS socket would send a close message on the connection that the parent still uses.
            os.close(connection.detach())


def _record(entry: Entry, resource: Dict[str, Plain]) -> Dict[str, Any]:
    """One flat map, as Forward records are. Fields of the record win over those of the resource."""
    record: Dict[str, Any] = {**resource, **entry.attributes}
    record["message"] = entry.body
    record["level"] = entry.severity_text
    record["logger"] = entry.scope
    if entry.trace is not None:
        record["trace_id"] = entry.trace.trace_id
        if entry.trace.span_id:
            record["span_id"] = entry.trace.span_id
    return record


def _digest(*parts: bytes) -> str:
    return hashlib.sha512(b"".join(parts)).hexdigest()


def _raw(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no confirmation in time")
    return left
