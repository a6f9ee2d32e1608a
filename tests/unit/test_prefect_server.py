"""The Prefect server that `run` starts for itself."""

import sys
from pathlib import Path

import pytest

from cli.prefect_server import _server
from leadgate.errors import PrefectServerError

GIVEN = {
    "DO_NOT_TRACK": "1",
    "HOME": "/home/jane",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PYTHONPATH": "/somewhere",
    "SSL_CERT_DIR": "/certs",
    "TMPDIR": "/tmp",  # noqa: S108 - a value to be handed on
    "TZ": "UTC",
    "VIRTUAL_ENV": "/venv",
}
KEPT_BACK = {
    "LEADBYTE_API_KEY": "secret",
    "SOURCE_URL": "postgresql://u:secret@db/leads",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "PGPASSWORD": "secret",
    "OTEL_EXPORTER_OTLP_HEADERS": "secret",
    "PREFECT_API_URL": "http://other:4200/api",
}


def test_the_server_is_given_no_secret_of_the_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment has what it needs to be found and to run, and nothing else; a program in its place writes it."""
    for name, value in (GIVEN | KEPT_BACK).items():
        monkeypatch.setenv(name, value)
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\nexec env > "$PREFECT_HOME/environment"\n', "utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(PrefectServerError), _server(tmp_path):
        pass
    written = (tmp_path / "environment").read_text("utf-8")
    assert "secret" not in written
    found = dict(line.split("=", 1) for line in written.splitlines())
    assert {name: found.get(name) for name in GIVEN} == GIVEN
    assert not found.keys() & KEPT_BACK.keys()
