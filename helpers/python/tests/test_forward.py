from __future__ import annotations

import logging
import random
import unittest
from typing import Any

from receivers import ForwardReceiver, ReceiverTest

from clew_logging import ClewHandler
from clew_logging.msgpack import EventTime, NeedMore, pack, unpack


class ForwardTest(ReceiverTest):
    def logger(self, receiver: ForwardReceiver, **options: Any) -> "tuple[logging.Logger, ClewHandler]":
        handler = self.closing(
            ClewHandler(receiver.url, protocol="forward", **{"service_name": "shop", "tag": "app.python", "batch_wait_seconds": 0.02,
                        "report": self.reports.append, "exit_timeout_seconds": 1.0, **options})
        )  # fmt: skip
        logger = logging.Logger("shop.cart", logging.DEBUG)
        logger.addHandler(handler)
        return logger, handler

    def test_records_arrive_and_are_acknowledged(self) -> None:
        receiver = self.closing(ForwardReceiver())
        logger, handler = self.logger(receiver)
        logger.error("sold %d", 3, extra={"count": 42, "price": 2.5, "vip": True, "tags": ["a"], "trace_id": "a" * 32, "span_id": "b" * 16})
        self.assertTrue(handler.flush(5))
        (record,) = receiver.records()
        self.assertEqual(receiver.chunks[0][0], "app.python")
        self.assertEqual(receiver.chunks[0][2]["compressed"], "gzip")
        self.assertEqual((record["message"], record["level"], record["logger"]), ("sold 3", "ERROR", "shop.cart"))
        self.assertEqual((record["count"], record["price"], record["vip"], record["tags"]), (42, 2.5, True, ["a"]))
        self.assertEqual((record["trace_id"], record["span_id"]), ("a" * 32, "b" * 16))
        self.assertEqual(record["service.name"], "shop")
        self.assertGreater(record["time_ns"], 1_700_000_000 * 10**9)
        self.assertEqual(handler.stats().sent, 1)

    def test_a_chunk_without_acknowledgement_is_sent_again(self) -> None:
        receiver = self.closing(ForwardReceiver(acknowledge=lambda n: n > 2))
        logger, handler = self.logger(receiver)
        logger.info("again")
        self.assertTrue(handler.flush(5))
        self.assertEqual(len(receiver.chunks), 3)
        self.assertEqual(len({chunk[2]["chunk"] for chunk in receiver.chunks}), 1)
        self.assertEqual(handler.stats().sent, 1)

    def test_shared_key_and_user(self) -> None:
        receiver = self.closing(ForwardReceiver(shared_key="secret", user="ada", password="pw"))
        logger, handler = self.logger(receiver, shared_key="secret", user="ada", password="pw")
        logger.info("in")
        self.assertTrue(handler.flush(5))
        self.assertEqual([record["message"] for record in receiver.records()], ["in"])

    def test_a_wrong_key_is_a_refusal(self) -> None:
        receiver = self.closing(ForwardReceiver(shared_key="secret"))
        logger, handler = self.logger(receiver, shared_key="guess")
        logger.info("out")
        self.assertTrue(handler.flush(5))
        self.assertEqual(receiver.chunks, [])
        self.assertEqual(handler.stats().dropped_total, 1)
        self.assertIn("wrong key or user", self.reports[-1])


class MsgpackTest(unittest.TestCase):
    def test_what_is_written_is_read(self) -> None:
        values: "list[Any]" = [None, True, False, 0, 127, 128, 255, 256, 65535, 65536, 2**32, 2**63, -1, -32, -33, -128, -129,
                               -32769, -(2**31) - 1, -(2**63), 1.5, "", "a", "é" * 20, "x" * 40, "x" * 300, "x" * 70000, b"", b"\x00" * 300,
                               [], [1, [2]], list(range(20)), {}, {"a": {"b": [None]}}, {str(n): n for n in range(40)}]  # fmt: skip
        for value in values:
            packed = pack(value)
            self.assertEqual(unpack(packed), (value, len(packed)), value)
            for cut in range(min(len(packed), 40)):
                with self.assertRaises(NeedMore):
                    unpack(packed[:cut])

    def test_event_time(self) -> None:
        self.assertEqual(pack(EventTime(1_700_000_000_000_000_001)).hex(), "d7006553f10000000001")

    def test_garbage_is_refused_and_nothing_else(self) -> None:
        source = random.Random(7)
        for _ in range(3000):
            data = bytes(source.randrange(256) for _ in range(source.randrange(40)))
            try:
                unpack(data)
            except (NeedMore, ValueError):
                pass
        with self.assertRaises(ValueError):
            unpack(b"\x91" * 100)


if __name__ == "__main__":
    unittest.main()
