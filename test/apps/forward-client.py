"""Sends over Forward with fluent-logger: plain, asynchronous, and as a handler of logging. Usage: port name seconds"""

import logging
import sys

from fluent import asyncsender, event, handler, sender

port, name, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])

plain = sender.FluentSender(name, host="127.0.0.1", port=port, nanosecond_precision=True)
assert plain.emit("sync", {"message": "from the plain sender", "count": 3, "ratio": 0.5, "ok": True, "nested": {"a": [1, None]}})
assert plain.emit_with_time("sync", seconds, {"message": "at a time of its own", "text": "h\u00e4llo"})
plain.close()

later = asyncsender.FluentSender(name, host="127.0.0.1", port=port)
for i in range(100):
    later.emit("async", {"message": f"async {i}", "i": i})
later.close()

logger = logging.getLogger("shop.pay")
logger.setLevel(logging.INFO)
fluent = handler.FluentHandler(f"{name}.handler", host="127.0.0.1", port=port)
fluent.setFormatter(
    handler.FluentRecordFormatter(
        {"host": "%(hostname)s", "logger": "%(name)s", "level": "%(levelname)s", "where": "%(module)s.%(funcName)s"}
    )
)
logger.addHandler(fluent)
logger.warning("shelf %d is empty", 4)
logger.info({"message": "structured", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7", "order": 17})
fluent.close()
