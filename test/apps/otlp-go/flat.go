package main

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

type object = map[string]any

// The numbers of the protocol, which are not those of the SDK.
var statusCodes = map[codes.Code]int{codes.Unset: 0, codes.Ok: 1, codes.Error: 2}
var kinds = map[trace.SpanKind]int{trace.SpanKindProducer: 4, trace.SpanKindConsumer: 5}

// flatSpan gives a span the form of FlatSpan in otlp-stored.ts.
func flatSpan(span tracetest.SpanStub) object {
	parentSpanID := ""
	if span.Parent.HasSpanID() {
		parentSpanID = span.Parent.SpanID().String()
	}
	// The sampled bit and its like, "known whether the parent is remote", and "it is".
	flags := int(span.SpanContext.TraceFlags()) | 0x100
	if span.Parent.IsRemote() {
		flags |= 0x200
	}
	events := []object{}
	for _, event := range span.Events {
		events = append(events, object{
			"time":       strconv.FormatInt(event.Time.UnixNano(), 10),
			"name":       event.Name,
			"attributes": flatAttributes(event.Attributes),
			"dropped":    event.DroppedAttributeCount,
		})
	}
	links := []object{}
	for _, link := range span.Links {
		links = append(links, object{
			"traceId": link.SpanContext.TraceID().String(),
			"spanId":  link.SpanContext.SpanID().String(),
			// The exporter sends no trace state of links.
			"traceState": "",
			"attributes": flatAttributes(link.Attributes),
			"dropped":    link.DroppedAttributeCount,
		})
	}
	scope := span.InstrumentationScope
	return object{
		"traceId":      span.SpanContext.TraceID().String(),
		"spanId":       span.SpanContext.SpanID().String(),
		"parentSpanId": parentSpanID,
		"traceState":   span.SpanContext.TraceState().String(),
		"flags":        flags,
		"name":         span.Name,
		"kind":         kinds[span.SpanKind],
		"start":        strconv.FormatInt(span.StartTime.UnixNano(), 10),
		"end":          strconv.FormatInt(span.EndTime.UnixNano(), 10),
		"attributes":   flatAttributes(span.Attributes),
		"dropped":      object{"attributes": span.DroppedAttributes, "events": span.DroppedEvents, "links": span.DroppedLinks},
		"events":       events,
		"links":        links,
		"status":       object{"code": statusCodes[span.Status.Code], "message": span.Status.Description},
		"scope": object{
			"name":       scope.Name,
			"version":    scope.Version,
			"schemaUrl":  scope.SchemaURL,
			"attributes": flatAttributes(scope.Attributes.ToSlice()),
		},
		"resource": flatAttributes(span.Resource.Attributes()),
	}
}

func flatAttributes(attributes []attribute.KeyValue) object {
	flat := object{}
	for _, keyValue := range attributes {
		flat[string(keyValue.Key)] = flatValue(keyValue.Value)
	}
	return flat
}

// flatValue gives a value the form of the protocol's JSON.
func flatValue(value attribute.Value) object {
	switch value.Type() {
	case attribute.EMPTY:
		return object{}
	case attribute.BOOL:
		return object{"boolValue": value.AsBool()}
	case attribute.INT64:
		return object{"intValue": strconv.FormatInt(value.AsInt64(), 10)}
	case attribute.FLOAT64:
		return object{"doubleValue": flatDouble(value.AsFloat64())}
	case attribute.STRING:
		return object{"stringValue": value.AsString()}
	case attribute.BYTESLICE:
		return object{"bytesValue": base64.StdEncoding.EncodeToString(value.AsByteSlice())}
	case attribute.BOOLSLICE:
		return flatArray(value.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		return flatArray(value.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		return flatArray(value.AsFloat64Slice(), attribute.Float64Value)
	case attribute.STRINGSLICE:
		return flatArray(value.AsStringSlice(), attribute.StringValue)
	case attribute.SLICE:
		return flatArray(value.AsSlice(), func(item attribute.Value) attribute.Value { return item })
	case attribute.MAP:
		pairs := []object{}
		for _, keyValue := range value.AsMap() {
			pairs = append(pairs, object{"key": string(keyValue.Key), "value": flatValue(keyValue.Value)})
		}
		return object{"kvlistValue": object{"values": pairs}}
	}
	panic(fmt.Sprintf("no JSON form for an attribute of type %s", value.Type()))
}

func flatArray[T any](items []T, valueOf func(T) attribute.Value) object {
	values := []object{}
	for _, item := range items {
		values = append(values, flatValue(valueOf(item)))
	}
	return object{"arrayValue": object{"values": values}}
}

func flatDouble(value float64) any {
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "Infinity"
	case math.IsInf(value, -1):
		return "-Infinity"
	case value == 0 && math.Signbit(value):
		return "-0"
	}
	return value
}
