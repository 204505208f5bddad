import os
import signal
import threading

import pytest

from mjsdk.learn.interrupts import graceful


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_noted_and_told_once_when_it_is_safe_to_print(number):
    told, before = [], signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup
    try:
        with graceful(told.append) as interrupt:
            assert not interrupt.requested
            os.kill(os.getpid(), number)
            assert interrupt.requested
            assert told == []
            interrupt.tell()
            interrupt.tell()
    finally:
        signal.signal(number, before)
    assert told == [number.name]


def test_a_second_signal_stops_at_once():
    with pytest.raises(KeyboardInterrupt), graceful() as interrupt:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.requested
        os.kill(os.getpid(), signal.SIGINT)


def test_the_handlers_from_before_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with graceful():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_program_under_nohup_outlives_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with graceful() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
        assert not interrupt.requested
    finally:
        signal.signal(signal.SIGHUP, before)


def test_threads_other_than_the_main_one_leave_signals_alone():
    seen = []

    def work():
        with graceful() as interrupt:
            seen.append(interrupt.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
