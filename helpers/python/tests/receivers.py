"""Small real receivers on loopback for the tests: they speak the protocol, keep what arrives, and can be made to fail."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socketserver
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple

SOURCE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src")
if SOURCE not in sys.path:
    sys.path.insert(0, SOURCE)

from clew_logging.msgpack import EventTime, NeedMore, pack, unpack  # noqa: E402

#: Status, headers, body.
Answer = Tuple[int, Dict[str, str], bytes]


class OtlpReceiver:
    """Answers as `answer(number of the request)` says; keeps the decoded requests that it answered with 200."""

    def __init__(self, answer: Optional[Callable[[int], Answer]] = None) -> None:
        self.answer = answer or (lambda _: (200, {}, b"{}"))
        self.requests: List[Dict[str, Any]] = []
        self.bodies: List[bytes] = []
        self.headers: List[Dict[str, str]] = []
        self.connections = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(body)
                receiver.headers.append(dict(self.headers.items()))
                status, headers, answer = receiver.answer(len(receiver.bodies))
                if status == 200:
                    plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                    receiver.requests.append({"path": self.path, **json.loads(plain)})
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def records(self) -> List[Dict[str, Any]]:
        """All log records with their scope's name, in order."""
        return [
            {**record, "scope": scope["scope"]["name"], "resource": attributes(resource["resource"])}
            for request in self.requests
            for resource in request["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def attributes(holder: Dict[str, Any]) -> Dict[str, Any]:
    """`[{key, value: {stringValue: x}}]` as `{key: value object}`."""
    return {pair["key"]: pair["value"] for pair in holder["attributes"]}


class ForwardReceiver:
    """Keeps chunks and acknowledges them, unless `acknowledge(number of the chunk)` is False: then it closes."""

    def __init__(
        self, acknowledge: Callable[[int], bool] = lambda _: True, shared_key: Optional[str] = None, user: str = "", password: str = ""
    ) -> None:
        self.chunks: List[Any] = []
        self.refusals: List[str] = []
        receiver = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.received = b""
                if shared_key is not None and not self.authenticate(shared_key):
                    return
                while True:
                    message = self.read()
                    if message is None:
                        return
                    receiver.chunks.append(message)
                    if not acknowledge(len(receiver.chunks)):
                        return
                    self.request.sendall(pack({"ack": message[2]["chunk"]}))

            def authenticate(self, key: str) -> bool:
                nonce, auth = os.urandom(16), os.urandom(16) if user else b""
                self.request.sendall(pack(["HELO", {"nonce": nonce, "auth": auth, "keepalive": True}]))
                _, name, salt, digest, given, secret = self.read()
                good = digest == hashlib.sha512(salt + name.encode() + nonce + key.encode()).hexdigest()
                if user:
                    good = good and secret == hashlib.sha512(auth + given.encode() + password.encode()).hexdigest()
                if not good:
                    receiver.refusals.append(given)
                    self.request.sendall(pack(["PONG", False, "wrong key or user", "", ""]))
                    return False
                proof = hashlib.sha512(salt + b"receiver" + nonce + key.encode()).hexdigest()
                self.request.sendall(pack(["PONG", True, "", "receiver", proof]))
                return True

            def read(self) -> Any:
                while True:
                    try:
                        value, end = unpack(self.received)
                        self.received = self.received[end:]
                        return value
                    except NeedMore:
                        more = self.request.recv(65536)
                        if not more:
                            return None
                        self.received += more

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"tcp://127.0.0.1:{self.server.server_address[1]}"

    def records(self) -> List[Dict[str, Any]]:
        """All records with `time_ns`, in order. EventTime is read here, because answers never contain one."""
        out: List[Dict[str, Any]] = []
        for _tag, packed, _options in self.chunks:
            data, at = gzip.decompress(packed), 0
            while at < len(data):
                assert data[at] == 0x92 and data[at + 1 : at + 3] == b"\xd7\x00", data[at : at + 3]
                seconds, nanos = int.from_bytes(data[at + 3 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 11], "big")
                record, at = unpack(data, at + 11)
                out.append({**record, "time_ns": seconds * 10**9 + nanos})
        return out

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class ReceiverTest(unittest.TestCase):
    """Closes what a test opened, and keeps stderr reports in `self.reports`."""

    def setUp(self) -> None:
        self.reports: List[str] = []

    def closing(self, item: Any) -> Any:
        self.addCleanup(item.close)
        return item


__all__ = ["SOURCE", "EventTime", "ForwardReceiver", "OtlpReceiver", "ReceiverTest", "attributes"]
