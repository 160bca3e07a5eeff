from __future__ import annotations

import json
import logging
import threading
import time
import unittest
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any
from unittest import mock

from receivers import OtlpReceiver, ReceiverTest, attributes

from clew_logging import ClewHandler
from clew_logging.otlp import logs_url, retry_after_seconds


class OtlpTest(ReceiverTest):
    def logger(self, receiver: OtlpReceiver, **options: Any) -> "tuple[logging.Logger, ClewHandler]":
        handler = self.closing(
            ClewHandler(receiver.url, **{"service_name": "shop", "batch_wait_seconds": 0.02, "report": self.reports.append, **options})
        )
        logger = logging.Logger("shop.cart", logging.DEBUG)
        logger.addHandler(handler)
        return logger, handler

    def test_a_record_arrives_with_all_its_fields(self) -> None:
        receiver = self.closing(OtlpReceiver())
        logger, handler = self.logger(receiver, resource_attributes={"deployment.environment.name": "test", "shard": 3})
        before = time.time_ns()
        logger.warning(
            "sold %d of %s",
            3,
            "tea",
            extra={"user": "ada", "count": 42, "big": 2**70, "price": 2.5, "nan": float("nan"), "vip": True, "none": None,
                   "raw": b"\x00\xff", "tags": ["a", 1], "nested": {"k": {"deep": False}}, "when": datetime(2026, 1, 2)},
        )  # fmt: skip
        self.assertTrue(handler.flush(5))
        (record,) = receiver.records()
        self.assertEqual(record["body"], {"stringValue": "sold 3 of tea"})
        self.assertEqual(record["scope"], "shop.cart")
        self.assertEqual((record["severityNumber"], record["severityText"]), (13, "WARNING"))
        self.assertLess(abs(int(record["timeUnixNano"]) - before), 2 * 10**9)
        found = attributes(record)
        self.assertEqual(found["user"], {"stringValue": "ada"})
        self.assertEqual(found["count"], {"intValue": "42"})
        self.assertEqual(found["big"], {"stringValue": str(2**70)})
        self.assertEqual(found["price"], {"doubleValue": 2.5})
        self.assertEqual(found["nan"], {"doubleValue": "NaN"})
        self.assertEqual(found["vip"], {"boolValue": True})
        self.assertEqual(found["none"], {})
        self.assertEqual(found["raw"], {"bytesValue": "AP8="})
        self.assertEqual(found["tags"], {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}]}})
        deep = {"kvlistValue": {"values": [{"key": "deep", "value": {"boolValue": False}}]}}
        self.assertEqual(found["nested"], {"kvlistValue": {"values": [{"key": "k", "value": deep}]}})
        self.assertEqual(found["when"], {"stringValue": "2026-01-02 00:00:00"})
        self.assertEqual(found["code.file.path"], {"stringValue": __file__})
        self.assertEqual(found["code.function.name"], {"stringValue": "test_a_record_arrives_with_all_its_fields"})
        self.assertIn("intValue", found["code.line.number"])
        self.assertEqual(found["thread.name"], {"stringValue": threading.current_thread().name})
        resource = record["resource"]
        self.assertEqual(resource["service.name"], {"stringValue": "shop"})
        self.assertEqual(resource["shard"], {"intValue": "3"})
        self.assertEqual(resource["deployment.environment.name"], {"stringValue": "test"})
        self.assertEqual(receiver.headers[0]["Content-Encoding"], "gzip")
        self.assertEqual(receiver.requests[0]["path"], "/v1/logs")
        self.assertEqual(handler.stats(), handler.stats()._replace(emitted=1, sent=1, pending=0, dropped={}))

    def test_exceptions_keep_type_message_and_stack(self) -> None:
        receiver = self.closing(OtlpReceiver())
        logger, handler = self.logger(receiver)
        try:
            json.loads("{")
        except ValueError:
            logger.exception("cannot read")
        handler.flush(5)
        found = attributes(receiver.records()[0])
        self.assertEqual(found["exception.type"], {"stringValue": "json.decoder.JSONDecodeError"})
        self.assertIn("Expecting property name", found["exception.message"]["stringValue"])
        self.assertIn('json.loads("{")', found["exception.stacktrace"]["stringValue"])

    def test_trace_context_from_the_instrumentation_and_from_extra(self) -> None:
        receiver = self.closing(OtlpReceiver())
        logger, handler = self.logger(receiver)
        trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
        logger.info("a", extra={"otelTraceID": trace, "otelSpanID": span, "otelTraceSampled": True, "otelServiceName": "x"})
        logger.info("b", extra={"trace_id": trace.upper(), "span_id": span})
        logger.info("c", extra={"otelTraceID": "0", "otelSpanID": "0"})
        handler.flush(5)
        a, b, c = receiver.records()
        self.assertEqual((a["traceId"], a["spanId"], a["flags"]), (trace, span, 1))
        self.assertEqual(set(attributes(a)) & {"otelTraceID", "otelSpanID", "otelTraceSampled", "otelServiceName"}, set())
        self.assertEqual((b["traceId"], b["spanId"]), (trace, span))
        self.assertNotIn("traceId", c)

    def test_a_program_that_logs_badly_is_not_broken(self) -> None:
        receiver = self.closing(OtlpReceiver())
        logger, handler = self.logger(receiver)

        class Broken:
            def __str__(self) -> str:
                raise RuntimeError("no text")

            __repr__ = __str__

        logger.info("%d and %d", 1)
        logger.info("see %s", Broken())
        logger.info(Broken())
        logger.info("lone surrogate \udc80", extra={"broken": Broken(), "\udcff": 1})
        logger.info({"event": "sold", "n": 1})
        loop: "list[Any]" = []
        loop.append(loop)
        logger.info("loop", extra={"loop": loop})
        logger.info("x" * 1_000_000)
        self.assertTrue(handler.flush(5))
        bodies = [record["body"] for record in receiver.records()]
        self.assertEqual(bodies[0], {"stringValue": "%d and %d"})
        self.assertIn("TypeError", attributes(receiver.records()[0])["log.format_error"]["stringValue"])
        self.assertEqual(bodies[1], {"stringValue": "see %s"})
        self.assertEqual(bodies[2], {"stringValue": "<Broken without text: RuntimeError>"})
        self.assertEqual(bodies[3], {"stringValue": "lone surrogate ?"})
        self.assertEqual(bodies[4]["kvlistValue"]["values"][0], {"key": "event", "value": {"stringValue": "sold"}})
        self.assertLess(len(bodies[6]["stringValue"]), 70_000)
        self.assertEqual(handler.stats().dropped, {})

    def test_a_record_that_logs_while_it_is_formatted(self) -> None:
        receiver = self.closing(OtlpReceiver())
        logger, handler = self.logger(receiver)

        class Chatty:
            def __str__(self) -> str:
                logger.info("inside")
                return "outside"

        class Endless:
            def __str__(self) -> str:
                logger.info("again %s", self)
                return "end"

        logger.info("%s", Chatty())
        logger.info("%s", Endless())
        handler.flush(5)
        bodies = [record["body"]["stringValue"] for record in receiver.records()]
        self.assertEqual(bodies[:2], ["inside", "outside"])
        self.assertEqual(handler.stats().dropped, {"nested too deep": 1})

    def test_busy_receivers_are_tried_again_with_the_same_bytes(self) -> None:
        answers = {1: (503, {}, b"busy"), 2: (429, {"Retry-After": "1"}, b"")}
        receiver = self.closing(OtlpReceiver(lambda n: answers.get(n, (200, {}, b"{}"))))
        logger, handler = self.logger(receiver)
        started = time.monotonic()
        logger.info("patience")
        self.assertTrue(handler.flush(10))
        self.assertGreaterEqual(time.monotonic() - started, 1.0)
        self.assertEqual([record["body"]["stringValue"] for record in receiver.records()], ["patience"])
        self.assertEqual(len(set(receiver.bodies)), 1)
        self.assertEqual(handler.stats().retries, 2)
        self.assertEqual(handler.stats().dropped, {})

    def test_refusals_are_counted_and_reported(self) -> None:
        partial = json.dumps({"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": "bad id"}}).encode()
        answers = {1: (400, {}, b"no"), 2: (200, {}, partial)}
        receiver = self.closing(OtlpReceiver(lambda n: answers.get(n, (200, {}, b"{}"))))
        logger, handler = self.logger(receiver)
        logger.info("one")
        handler.flush(5)
        logger.info("two")
        logger.info("three")
        handler.flush(5)
        self.assertEqual(handler.stats().dropped, {"refused: HTTP 400: no": 1, "refused: bad id": 1})
        self.assertEqual(handler.stats().sent, 1)
        self.assertTrue(any("HTTP 400: no" in report for report in self.reports), self.reports)
        notice = [record for record in receiver.records() if record["scope"] == "clew_logging"]
        self.assertEqual(attributes(notice[0])["clew.dropped"], {"intValue": "1"})

    def test_a_body_that_is_too_large_is_sent_in_halves(self) -> None:
        receiver = self.closing(OtlpReceiver())
        receiver.answer = lambda n: (413, {}, b"") if len(receiver.bodies[-1]) > 2000 else (200, {}, b"{}")
        logger, handler = self.logger(receiver, compress=False, batch_wait_seconds=0.3)
        for n in range(16):
            logger.info("record %d", n)
        self.assertTrue(handler.flush(5))
        bodies = [record["body"]["stringValue"] for record in receiver.records()]
        self.assertEqual(bodies, [f"record {n}" for n in range(16)])

    def test_a_full_queue_drops_counts_and_never_blocks(self) -> None:
        gate = threading.Event()
        self.addCleanup(gate.set)

        def wait(_: int) -> Any:
            gate.wait(10)
            return 200, {}, b"{}"

        receiver = self.closing(OtlpReceiver(wait))
        logger, handler = self.logger(receiver, queue_records=50, batch_records=10)
        started = time.monotonic()
        for n in range(5000):
            logger.info("record %d", n)
        self.assertLess(time.monotonic() - started, 3.0)
        dropped = handler.stats().dropped["queue full"]
        self.assertGreaterEqual(dropped, 5000 - 60 - 1)
        gate.set()
        self.assertTrue(handler.flush(5))
        stats = handler.stats()
        self.assertEqual(stats.sent + stats.dropped_total, 5000)
        bodies = [record["body"]["stringValue"] for record in receiver.records() if record["scope"] == "shop.cart"]
        self.assertEqual(len(bodies), stats.sent)
        notices = [attributes(record)["clew.dropped"]["intValue"] for record in receiver.records() if record["scope"] == "clew_logging"]
        self.assertEqual(sum(map(int, notices)), dropped)
        self.assertTrue(any("queue full" in report for report in self.reports), self.reports)

    def test_the_queue_is_bounded_in_bytes(self) -> None:
        handler = self.closing(
            ClewHandler("http://127.0.0.1:9", queue_bytes=100_000, exit_timeout_seconds=0.1, report=self.reports.append)
        )
        logger = logging.Logger("big")
        logger.addHandler(handler)
        for _ in range(100):
            logger.info("y" * 10_000)
        self.assertGreaterEqual(handler.stats().dropped["queue full"], 80)

    def test_closed_connections_are_opened_again_without_a_pause(self) -> None:
        receiver = self.closing(OtlpReceiver(lambda n: (200, {"Connection": "close"} if n == 2 else {}, b"{}")))
        logger, handler = self.logger(receiver)
        for n in range(4):
            logger.info("record %d", n)
            self.assertTrue(handler.flush(5))
        self.assertEqual(len(receiver.records()), 4)
        self.assertEqual(receiver.connections, 2)
        self.assertEqual(handler.stats().retries, 0)

    def test_close_within_the_deadline_counts_what_is_left(self) -> None:
        handler = ClewHandler("http://127.0.0.1:9", exit_timeout_seconds=0.3, report=self.reports.append)
        logger = logging.Logger("late")
        logger.addHandler(handler)
        for _ in range(10):
            logger.info("lost")
        started = time.monotonic()
        handler.close()
        self.assertLess(time.monotonic() - started, 2.0)
        self.assertEqual(handler.stats().dropped, {"exit deadline": 10})
        self.assertIn("10 (exit deadline)", self.reports[-1])
        logger.info("after")
        self.assertEqual(handler.stats().dropped["logged after close"], 1)

    def test_records_from_many_threads_all_arrive(self) -> None:
        receiver = self.closing(OtlpReceiver())
        logger, handler = self.logger(receiver)

        def work(number: int) -> None:
            for n in range(300):
                logger.info("%d-%d", number, n)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(handler.flush(10))
        bodies = [record["body"]["stringValue"] for record in receiver.records()]
        self.assertEqual(sorted(bodies), sorted(f"{number}-{n}" for number in range(6) for n in range(300)))

    def test_addresses(self) -> None:
        self.assertEqual(logs_url("http://x:1"), "http://x:1/v1/logs")
        self.assertEqual(logs_url("http://x:1/v1/logs"), "http://x:1/v1/logs")
        with mock.patch.dict("os.environ", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://base:4318/"}):
            self.assertEqual(logs_url(None), "http://base:4318/v1/logs")
        with mock.patch.dict("os.environ", {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://x/custom"}):
            self.assertEqual(logs_url(None), "http://x/custom")
        for wrong in ("ftp://x", "nonsense", "http://"):
            with self.assertRaises(ValueError):
                ClewHandler(wrong)
        with self.assertRaises(ValueError):
            ClewHandler(protocol="smoke-signals")

    def test_retry_after(self) -> None:
        self.assertEqual(retry_after_seconds("7"), 7.0)
        self.assertEqual(retry_after_seconds("soon"), 0.0)
        self.assertEqual(retry_after_seconds(None), 0.0)
        later = format_datetime(datetime.fromtimestamp(time.time() + 30, timezone.utc), usegmt=True)
        self.assertAlmostEqual(retry_after_seconds(later), 30, delta=2)

    def test_the_resource_from_the_environment(self) -> None:
        receiver = self.closing(OtlpReceiver())
        environment = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=no,team=a%20b", "OTEL_SERVICE_NAME": "from-env"}
        with mock.patch.dict("os.environ", environment):
            logger, handler = self.logger(receiver, service_name=None)
            logger.info("x")
            handler.flush(5)
        resource = receiver.records()[0]["resource"]
        self.assertEqual(resource["service.name"], {"stringValue": "from-env"})
        self.assertEqual(resource["team"], {"stringValue": "a b"})


if __name__ == "__main__":
    unittest.main()
