"""What the Python services of the shop share: the OpenTelemetry SDK, a server, and an orderly end.

Where to send comes from the standard OTEL_EXPORTER_OTLP_... variables, who we are from OTEL_SERVICE_NAME and
OTEL_RESOURCE_ATTRIBUTES. Imported before anything that the instrumentations change.
"""

import logging
import os
import signal
import sys
import threading

from opentelemetry import baggage, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

HEALTH_PATH = "/healthz"
# Short, so that a trace can be looked at within two seconds; programs in production batch for longer.
BATCH_DELAY_MS = 500
STOP_TIMEOUT_S = 2

tracer_provider = TracerProvider()
tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=BATCH_DELAY_MS))
trace.set_tracer_provider(tracer_provider)

logger_provider = LoggerProvider()
logger_provider.add_log_record_processor(
    BatchLogRecordProcessor(OTLPLogExporter(), schedule_delay_millis=BATCH_DELAY_MS)
)
set_logger_provider(logger_provider)

logging.getLogger().setLevel(logging.INFO)
# The server's line for each request says nothing that its span does not.
logging.getLogger("werkzeug").setLevel(logging.WARNING)
LoggingInstrumentor().instrument()
RequestsInstrumentor().instrument()
SQLite3Instrumentor().instrument()


def serve(app):
    """Serves a Flask app on PORT until the process is asked to stop or loses its parent."""
    from werkzeug.serving import make_server

    FlaskInstrumentor().instrument_app(app, excluded_urls=HEALTH_PATH)
    app.add_url_rule(HEALTH_PATH, view_func=lambda: "ok")
    app.before_request(name_user)
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), app, threaded=True)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=wait_for_parent, args=(stopping,), daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stopping.wait()
    server.shutdown()
    sending = [threading.Thread(target=each.shutdown, daemon=True) for each in (tracer_provider, logger_provider)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join(STOP_TIMEOUT_S)
    # Without the handlers that the SDK leaves for the end of the process: they would wait for a receiver that is gone.
    os._exit(0)


def name_user():
    """Who the request is for comes as baggage from the shopper's client."""
    user = baggage.get_baggage("user.id")
    if user is not None:
        trace.get_current_span().set_attribute("user.id", user)


def wait_for_parent(stopping):
    """The parent holds our stdin open; when it dies without a word, the pipe ends and we go too."""
    sys.stdin.buffer.read()
    stopping.set()
