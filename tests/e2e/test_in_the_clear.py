"""A key that goes unencrypted to another machine: said each time, by everybody who may send it or look."""

from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.support.command import leadgate
from tests.support.pipelines import Practice


@pytest.mark.parametrize("verb", ["check", "status", "run"])
def test_it_is_said_each_time(tmp_path: Path, verb: str) -> None:
    """On standard error, and before a run begins; nobody answers to the address, nor to that of the Prefect server."""
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    practice.edit("http://127.0.0.1:9", "http://proxy.invalid\n  insecure_http: true")
    practice.close()
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        ended = leadgate(verb, config=practice.file)
    assert "insecure_http" in ended.stderr
