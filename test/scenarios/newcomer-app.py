"""A program with the OpenTelemetry SDK for Python, whose default is gRPC, and nothing set but what the environment says."""

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource({"service.name": "python-app"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
provider.get_tracer("newcomer").start_span("hello").end()
provider.shutdown()
