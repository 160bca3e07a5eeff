"""Sends a trace and a log record with the OpenTelemetry SDK and prints, as JSON, the spans as the SDK holds them.

Usage: otlp-client.py TRANSPORT ENDPOINT COMPRESSION, with TRANSPORT grpc or http and COMPRESSION none, gzip or deflate.
"""

import json
import logging
import sys

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

transport, endpoint, compression = sys.argv[1:]

if transport == "grpc":
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    options = {
        "insecure": True,
        "compression": {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}[compression],
    }
    span_exporter = OTLPSpanExporter(endpoint=endpoint, **options)
    log_exporter = OTLPLogExporter(endpoint=endpoint, **options)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    options = {"compression": {"none": Compression.NoCompression, "gzip": Compression.Gzip, "deflate": Compression.Deflate}[compression]}
    span_exporter = OTLPSpanExporter(endpoint=endpoint + "/v1/traces", **options)
    log_exporter = OTLPLogExporter(endpoint=endpoint + "/v1/logs", **options)

resource = Resource({"service.name": "depot", "host.tags": ["a", "b"], "host.cpus": 8})
memory = InMemorySpanExporter()
provider = TracerProvider(resource=resource, span_limits=SpanLimits(max_events=2))
provider.add_span_processor(BatchSpanProcessor(span_exporter))
provider.add_span_processor(SimpleSpanProcessor(memory))
tracer = provider.get_tracer("depot-lib", "3.2.1", "https://opentelemetry.io/schemas/1.27.0", {"lib.kind": "manual"})

logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(SimpleLogRecordProcessor(log_exporter))
logger = logging.getLogger("depot")
logger.addHandler(LoggingHandler(logger_provider=logs))
logger.setLevel(logging.INFO)

remote = SpanContext(0x5B8EFFF798038103D269B633813FC60C, 0xEEE19B7EC3C1B174, True, TraceFlags(1), TraceState([("vendor", "x:1")]))
parent = SpanContext(
    trace_id=provider.id_generator.generate_trace_id(),
    span_id=0x00F067AA0BA902B7,
    is_remote=True,
    trace_flags=TraceFlags(1),
    trace_state=TraceState([("shop", "a"), ("ot", "th:8")]),
)
with tracer.start_as_current_span(
    "receive",
    context=trace.set_span_in_context(trace.NonRecordingSpan(parent)),
    kind=SpanKind.CONSUMER,
    links=[Link(remote, {"batch": 7})],
    attributes={"text": "naïve ☕", "big": 2**63 - 1, "small": -(2**63), "ratio": 0.1, "zero": -0.0, "yes": True, "parts": [1.5, 2.5], "words": ["a", ""]},
) as span:
    for attempt in range(3):
        span.add_event("try", {"attempt": attempt})
    logger.warning("shelf %d is empty", 4)
    with tracer.start_as_current_span("store", kind=SpanKind.PRODUCER) as inner:
        inner.set_status(Status(StatusCode.ERROR, "no room"))

provider.force_flush()
logs.force_flush()


def value_of(value):
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": "-0" if value == 0 else value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"arrayValue": {"values": [value_of(item) for item in value]}}


def attributes_of(attributes):
    return {key: value_of(value) for key, value in (attributes or {}).items()}


def state_of(state):
    return state.to_header() if state else ""


def flat(span):
    parent_remote = 0x200 if span.parent is not None and span.parent.is_remote else 0
    return {
        "traceId": format(span.context.trace_id, "032x"),
        "spanId": format(span.context.span_id, "016x"),
        "parentSpanId": format(span.parent.span_id, "016x"),
        "traceState": state_of(span.context.trace_state),
        "flags": 0x100 | parent_remote,
        "name": span.name,
        "kind": span.kind.value + 1,
        "start": str(span.start_time),
        "end": str(span.end_time),
        "attributes": attributes_of(span.attributes),
        "dropped": {"attributes": span.dropped_attributes, "events": span.dropped_events, "links": span.dropped_links},
        "events": [{"time": str(event.timestamp), "name": event.name, "attributes": attributes_of(event.attributes), "dropped": 0} for event in span.events],
        "links": [
            {
                "traceId": format(link.context.trace_id, "032x"),
                "spanId": format(link.context.span_id, "016x"),
                # The exporter sends no trace state of links.
                "traceState": "",
                "attributes": attributes_of(link.attributes),
                "dropped": 0,
            }
            for link in span.links
        ],
        "status": {"code": span.status.status_code.value, "message": span.status.description or ""},
        "scope": {
            "name": span.instrumentation_scope.name,
            "version": span.instrumentation_scope.version,
            "schemaUrl": span.instrumentation_scope.schema_url,
            "attributes": attributes_of(span.instrumentation_scope.attributes),
        },
        "resource": attributes_of(span.resource.attributes),
    }


print(json.dumps([flat(span) for span in memory.get_finished_spans()]))
