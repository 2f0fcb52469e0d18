"""What all tests rely on."""

import contextlib
import signal


def pytest_configure() -> None:
    """Take signals as a terminal gives them: `nohup` and `&` leave some ignored, and processes would inherit that."""
    as_usual = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL, "SIGQUIT": signal.SIG_DFL}
    for name, handler in as_usual.items():
        number = getattr(signal, name, None)  # not every system has all of them
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, handler)
