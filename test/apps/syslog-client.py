"""Sends with the syslog handler of Python's logging. Usage: udp_port tcp_port"""

import logging
import logging.handlers
import socket
import sys

for kind, port in ((socket.SOCK_DGRAM, int(sys.argv[1])), (socket.SOCK_STREAM, int(sys.argv[2]))):
    logger = logging.getLogger(f"kind{int(kind)}")
    handler = logging.handlers.SysLogHandler(("127.0.0.1", port), logging.handlers.SysLogHandler.LOG_LOCAL3, kind)
    handler.ident = "pyshop[%d]: " % 4242
    handler.append_nul = False
    handler.setFormatter(logging.Formatter("%(message)s" + ("\n" if kind == socket.SOCK_STREAM else "")))
    logger.addHandler(handler)
    logger.error("python %s says trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7", kind.name)
    handler.close()

logger = logging.getLogger("default")
logger.addHandler(logging.handlers.SysLogHandler(("127.0.0.1", int(sys.argv[2])), socktype=socket.SOCK_STREAM))
try:
    {}["rows"]
except KeyError:
    logger.exception("worker: no rows")
logger.warning("worker: next")
