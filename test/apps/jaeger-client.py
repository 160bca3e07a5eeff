"""Sends one span with a child through jaeger-client for Python: compact thrift over UDP. Prints their ids.

usage: jaeger-client.py PORT
"""

import sys
import time

from jaeger_client import Config

config = Config(
    config={
        "sampler": {"type": "const", "param": 1},
        "local_agent": {"reporting_host": "127.0.0.1", "reporting_port": int(sys.argv[1])},
        "tags": {"region": "eu"},
        "reporter_flush_interval": 0.05,
    },
    service_name="python-driver",
    validate=True,
)
tracer = config.initialize_tracer()
with tracer.start_span("compact root", tags={"span.kind": "server", "attempts": 3, "ratio": 0.5, "cold": False}) as root:
    root.log_kv({"event": "cache miss", "key": "grüß"})
    with tracer.start_span("compact child", child_of=root) as child:
        child.set_tag("error", True)
print(f"{root.trace_id:032x} {root.span_id:016x} {child.span_id:016x}", flush=True)
# The reporter sends from a thread of its own; closing waits for it.
closing = tracer.close()
while not closing.done():
    time.sleep(0.01)
