"""How processes end and fork, tested in real child processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
import unittest

from receivers import SOURCE, OtlpReceiver, ReceiverTest


class ProcessTest(ReceiverTest):
    def run_program(self, receiver_url: str, program: str) -> "subprocess.CompletedProcess[str]":
        prelude = f"""
            import logging, os, sys
            from clew_logging import ClewHandler
            handler = ClewHandler({receiver_url!r}, service_name='child', exit_timeout_seconds=2.0)
            logging.basicConfig(level=logging.INFO, handlers=[handler])
        """
        source = textwrap.dedent(prelude) + textwrap.dedent(program)
        environment = {**os.environ, "PYTHONPATH": SOURCE}
        return subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", source], env=environment, capture_output=True, text=True, timeout=30)

    def bodies(self, receiver: OtlpReceiver) -> "list[str]":
        return sorted(record["body"]["stringValue"] for record in receiver.records())

    def test_records_are_sent_at_exit(self) -> None:
        receiver = self.closing(OtlpReceiver())
        done = self.run_program(receiver.url, "for n in range(1000): logging.info('r%04d', n)")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.bodies(receiver), [f"r{n:04d}" for n in range(1000)])

    def test_an_uncaught_exception_still_sends(self) -> None:
        receiver = self.closing(OtlpReceiver())
        done = self.run_program(receiver.url, "logging.info('last words'); raise SystemExit(3)")
        self.assertEqual(done.returncode, 3)
        self.assertEqual(self.bodies(receiver), ["last words"])

    def test_an_absent_receiver_neither_hangs_nor_breaks_the_program(self) -> None:
        started = time.monotonic()
        done = self.run_program("http://127.0.0.1:9", "for n in range(50): logging.info('lost')\nprint('done')")
        self.assertLess(time.monotonic() - started, 8.0)
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"))
        self.assertIn("lost so far: 50 (exit deadline)", done.stderr)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_forked_child_sends_its_own_records_and_none_of_the_parents(self) -> None:
        receiver = self.closing(OtlpReceiver())
        program = """
            logging.info('parent before')
            if os.fork() == 0:
                logging.info('child')
                sys.exit(0)
            os.wait()
            logging.info('parent after')
        """
        done = self.run_program(receiver.url, program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.bodies(receiver), ["child", "parent after", "parent before"])
        pids = {record["body"]["stringValue"]: record["resource"]["process.pid"]["intValue"] for record in receiver.records()}
        self.assertEqual(pids["parent before"], pids["parent after"])
        self.assertNotEqual(pids["child"], pids["parent after"])

    def test_workers_of_multiprocessing_send_before_they_leave(self) -> None:
        receiver = self.closing(OtlpReceiver())
        program = """
            import multiprocessing
            def work(number):
                logging.info('worker %d', number)
            logging.info('main')
            context = multiprocessing.get_context('fork')
            workers = [context.Process(target=work, args=(n,)) for n in range(4)]
            for worker in workers: worker.start()
            for worker in workers: worker.join()
        """
        done = self.run_program(receiver.url, program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.bodies(receiver), ["main", "worker 0", "worker 1", "worker 2", "worker 3"])

    def test_forks_under_load_from_many_threads(self) -> None:
        receiver = self.closing(OtlpReceiver())
        program = """
            import threading
            def chat(name):
                for n in range(200): logging.info('%s', name)
            threads = [threading.Thread(target=chat, args=('thread',)) for _ in range(4)]
            for thread in threads: thread.start()
            for _ in range(10):
                if os.fork() == 0:
                    logging.info('child')
                    sys.exit(0)
            for thread in threads: thread.join()
            for _ in range(10): os.wait()
        """
        done = self.run_program(receiver.url, program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.bodies(receiver), ["child"] * 10 + ["thread"] * 800)

    def test_a_signal_handler_may_log(self) -> None:
        receiver = self.closing(OtlpReceiver())
        program = """
            import signal
            seen = []  # a handler may be interrupted by itself, so `count += 1` would lose some
            def on_alarm(*_):
                seen.append(1)
                logging.info('signal')
            signal.signal(signal.SIGALRM, on_alarm)
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            for n in range(3000): logging.info('main')
            signal.setitimer(signal.ITIMER_REAL, 0)
            handler.flush()
            stats = handler.stats()
            assert stats.emitted == 3000 + len(seen), (stats, len(seen))
            assert stats.sent == 3000 + len(seen), (stats, len(seen))
        """
        done = self.run_program(receiver.url, program)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
