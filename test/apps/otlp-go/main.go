// Sends a trace with the OpenTelemetry SDK and prints, as JSON, the spans as the SDK holds them.
//
// Usage: otlp-go TRANSPORT ENDPOINT COMPRESSION, with TRANSPORT grpc or http and COMPRESSION none or gzip.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: otlp-go grpc|http ENDPOINT none|gzip")
	}
	// A partial success and a failed export are told to this handler only.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Fatal(err) }))
	ctx := context.Background()
	exporter := must(newExporter(ctx, os.Args[1], os.Args[2], os.Args[3]))

	limits := sdktrace.NewSpanLimits()
	limits.EventCountLimit = 2
	memory := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "ferry"),
			attribute.StringSlice("host.tags", []string{"a", "b"}),
			attribute.Int("host.cpus", 8),
		)),
		sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSyncer(memory),
	)
	sendTrace(ctx, provider.Tracer("ferry-lib",
		trace.WithInstrumentationVersion("3.2.1"),
		trace.WithSchemaURL("https://opentelemetry.io/schemas/1.27.0"),
		trace.WithInstrumentationAttributes(attribute.String("lib.kind", "manual")),
	))
	if err := provider.ForceFlush(ctx); err != nil {
		log.Fatal(err)
	}

	spans := []any{}
	for _, span := range memory.GetSpans() {
		spans = append(spans, flatSpan(span))
	}
	if err := json.NewEncoder(os.Stdout).Encode(spans); err != nil {
		log.Fatal(err)
	}
	// Closes the connection; the spans in memory are dropped here, so it comes last.
	if err := provider.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

func newExporter(ctx context.Context, transport, endpoint, compression string) (*otlptrace.Exporter, error) {
	gzip := compression == "gzip"
	if !gzip && compression != "none" {
		return nil, fmt.Errorf("no compression %q: none or gzip", compression)
	}
	switch transport {
	case "grpc":
		options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(endpoint)}
		if gzip {
			options = append(options, otlptracegrpc.WithCompressor("gzip"))
		}
		return otlptracegrpc.New(ctx, options...)
	case "http":
		options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(endpoint + "/v1/traces")}
		if gzip {
			options = append(options, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		}
		return otlptracehttp.New(ctx, options...)
	}
	return nil, fmt.Errorf("no transport %q: grpc or http", transport)
}

// sendTrace makes a span under a remote parent, with attributes of every type, and one below it that failed.
func sendTrace(ctx context.Context, tracer trace.Tracer) {
	_, root := tracer.Start(ctx, "thrown away", trace.WithNewRoot())
	parent := root.SpanContext().WithSpanID(trace.SpanID{0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}).
		WithTraceState(must(trace.ParseTraceState("shop=a,ot=th:8")))
	remote := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    must(trace.TraceIDFromHex("5b8efff798038103d269b633813fc60c")),
		SpanID:     must(trace.SpanIDFromHex("eee19b7ec3c1b174")),
		TraceFlags: trace.FlagsSampled,
		Remote:     true,
	})
	ctx, board := tracer.Start(trace.ContextWithRemoteSpanContext(ctx, parent), "board",
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithLinks(trace.Link{SpanContext: remote, Attributes: []attribute.KeyValue{attribute.Int("batch", 7)}}),
		trace.WithAttributes(
			attribute.String("text", "naïve ☕"),
			attribute.String("blank", ""),
			attribute.Int64("big", math.MaxInt64),
			attribute.Int64("small", math.MinInt64),
			attribute.Float64("ratio", 0.1),
			attribute.Float64("zero", math.Copysign(0, -1)),
			attribute.Float64("none", math.NaN()),
			attribute.Float64("most", math.Inf(1)),
			attribute.Bool("yes", true),
			attribute.Bool("no", false),
			attribute.ByteSlice("bytes", []byte{0, 0x80, 0xff}),
			attribute.StringSlice("words", []string{"a", ""}),
			attribute.Int64Slice("counts", []int64{1, -2}),
			attribute.Float64Slice("parts", []float64{1.5, 2.5}),
			attribute.BoolSlice("doors", []bool{true, false}),
			attribute.Slice("mixed", attribute.StringValue("x"), attribute.Int64Value(3)),
			attribute.KeyValue{Key: "empty"},
			attribute.Map("nested", attribute.Bool("deep", true), attribute.Map("below", attribute.Int("at", 2))),
		),
	)
	for attempt := range 3 {
		board.AddEvent("try", trace.WithAttributes(attribute.Int("attempt", attempt)))
	}
	_, stow := tracer.Start(ctx, "stow", trace.WithSpanKind(trace.SpanKindProducer))
	stow.SetStatus(codes.Error, "no room")
	stow.End()
	board.SetStatus(codes.Ok, "")
	board.End()
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
