"""What several verbs read: here, who sits at the keyboard."""

import os
import socket

import pytest

from cli.options import at_keyboard


def test_who_types_is_known_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable makes a login another one; a user without a name is a number."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "ceo")
    assert "ceo" not in at_keyboard()
    assert at_keyboard().endswith(f" on {socket.gethostname()}")
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert at_keyboard().startswith("login 3999999999 on ")
