"""Secrets that a Prefect server keeps: saved, read by every verb and flow that needs them, and never shown."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr
from sqlalchemy import make_url

from flows.release_leads import release_leads
from leadgate.errors import KeyRefused, LeadByteUnavailable
from leadgate.sandbox import Sandbox
from leadgate.summary import Summary
from tasks.blocks import LeadByteCredentials
from tests.support.command import leadgate
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice

KEY = "practice-key"
COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True, "score": 0.9}


@pytest.fixture
def pipeline(tmp_path: Path, leadbyte: Sandbox, prefect_server: str, postgres_url: str) -> Iterator[Practice]:
    """A pipeline whose file names a block for each of its secrets, its source in a PostgreSQL."""
    LeadByteCredentials(base_url=leadbyte.url, api_key=SecretStr(KEY)).save("acme", overwrite=True)
    # As providers write it; leadgate adds its own driver.
    address = make_url(postgres_url).set(drivername="postgres").render_as_string(hide_password=False)
    Secret(value=address).save("acme", overwrite=True)
    practice = Practice(tmp_path, leadbyte.url, database_url=postgres_url)
    practice.edit(f"  base_url: {leadbyte.url}\n", "")
    practice.edit(f"api_key: {KEY}", "api_key: {block: leadbyte-credentials/acme}")
    practice.edit(f"url: {postgres_url}", "url: {block: secret/acme}")
    yield practice
    practice.close()


def test_a_run_and_a_check_need_no_secret_but_those_of_the_blocks(
    pipeline: Practice, leadbyte: Sandbox, prefect_server: str
) -> None:
    """The address names no driver: leadgate's own is used. Nothing of it is shown."""
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)
    summary = asyncio.run(release_leads(str(pipeline.file)))
    assert isinstance(summary, Summary)
    assert summary.as_dict()["processed"] == 1
    checked = leadgate("check", "--json", config=pipeline.file)
    assert (checked.code, checked.json()["problems"]) == (0, [])
    planned = leadgate("plan", config=pipeline.file)
    assert planned.code == 0
    shown = httpx.post(f"{prefect_server}/block_documents/filter", json={}).raise_for_status().text
    runs = httpx.post(f"{prefect_server}/flow_runs/filter", json={"limit": 5}).raise_for_status().text
    assert KEY not in shown + runs + checked.stdout + planned.stdout


def test_a_lead_is_shown_by_the_block_of_the_source_alone(pipeline: Practice) -> None:
    """Whoever may not read the key's block sees the lead all the same."""
    pipeline.quarantine(1)
    pipeline.enrich(1, **COMPLETE)
    asyncio.run(release_leads(str(pipeline.file)))
    pipeline.edit("leadbyte-credentials/acme", "leadbyte-credentials/not-there")
    shown = leadgate("review", "show", 1, config=pipeline.file)
    assert (shown.code, shown.stderr) == (0, "")
    assert '  postcode: "TN25 6QD"' in shown.stdout.splitlines()
    assert "would be written (LeadByte has taken all of it already):" in shown.stdout.splitlines()
    pipeline.edit("secret/acme", "secret/not-there")
    refused = leadgate("review", "show", 1, config=pipeline.file)
    assert (refused.code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "source.url: the block secret/not-there is not known to the Prefect server" in refused.stderr


def test_verbs_that_need_no_secret_ask_no_server(pipeline: Practice) -> None:
    """They are told of the ledger alone, and do not even import Prefect."""
    assert leadgate("check", config=pipeline.file).code == 0
    program = (
        "import sys; from cli.main import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: assert not {'prefect', 'opentelemetry.sdk'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "status", "--config", str(pipeline.file)],
        env={"PREFECT_API_URL": "http://127.0.0.1:9/api", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


async def test_the_block_tries_its_key(prefect_server: str, leadbyte: Sandbox) -> None:
    """With a request that changes nothing, also where an event loop is running."""
    block = LeadByteCredentials(base_url=f"{leadbyte.url}/restapi/v1.3/", api_key=SecretStr(KEY))
    assert block.base_url == leadbyte.url
    block.test_connection()
    with pytest.raises(KeyRefused, match="refused the API key"):
        LeadByteCredentials(base_url=leadbyte.url, api_key=SecretStr("another")).test_connection()
    with pytest.raises(LeadByteUnavailable):
        LeadByteCredentials(base_url="http://127.0.0.1:9", api_key=SecretStr(KEY)).test_connection()
    with pytest.raises(ValueError, match="is not an address"):
        LeadByteCredentials(base_url="acme", api_key=SecretStr(KEY))


def told(pipeline: Practice, old: str, new: str) -> str:
    """What `leadgate plan` says when the file is changed so, with exit code 2."""
    pipeline.edit(old, new)
    done = leadgate("plan", config=pipeline.file)
    assert done.code == 2
    return done.stderr


CREDENTIALS, ADDRESS = "{block: leadbyte-credentials/acme}", "{block: secret/acme}"


def test_every_block_that_is_wrong_is_named(pipeline: Practice, prefect_server: str) -> None:
    """Missing, of another type, without a name: with the place in the file, and what to write."""
    pipeline.edit(CREDENTIALS, "{block: leadbyte-credentials/nobody}")
    said = told(pipeline, ADDRESS, "{block: slack-webhook/acme}")
    assert "leadbyte.api_key: the block leadbyte-credentials/nobody is not known to the Prefect server" in said
    assert "source.url: is no block that fits here: write {block: secret/NAME}" in said
    assert len(said.splitlines()) == 2


def test_a_key_is_not_sent_to_another_address(pipeline: Practice, leadbyte: Sandbox) -> None:
    """A base_url in the file must be that of the block; the same one, however written, is fine."""
    pipeline.edit("leadbyte:\n", f"leadbyte:\n  base_url: {leadbyte.url}/\n")
    pipeline.enrich(1)  # a source without any row is not healthy
    assert leadgate("plan", config=pipeline.file).code == 0
    said = told(pipeline, f"base_url: {leadbyte.url}/", "base_url: https://other.leadbyte.com")
    assert "leadbyte.base_url: is not the address that the key of the block" in said
    assert KEY not in said


def test_without_a_block_the_address_is_required(pipeline: Practice) -> None:
    """As it always was."""
    said = told(pipeline, CREDENTIALS, "a-key")
    assert "leadbyte.base_url: is missing" in said


def test_a_server_that_is_down_is_said_once(pipeline: Practice) -> None:
    """It may be up soon: exit code 1."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        done = leadgate("plan", config=pipeline.file)
    assert done.code == 1
    assert "which does not answer: start it" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    with temporary_settings({PREFECT_API_URL: None}):
        done = leadgate("plan", config=pipeline.file)
    assert done.code == 2
    assert "none is configured: set PREFECT_API_URL" in done.stderr


class Locked(Handler):
    """A Prefect server that is up, and lets nobody read blocks, or shows them without their secrets."""

    status = 403

    def respond(self) -> None:
        """Answer as such a server does."""
        is_health = self.path.endswith("/health")
        body: Any = True
        if not is_health:
            data = {"base_url": "https://acme.leadbyte.com", "api_key": "********"}
            nothing = {"block_type_id": "0198e1c5-0000-7000-8000-000000000000", "block_type": None}
            ids = {"block_schema_id": nothing["block_type_id"], "id": nothing["block_type_id"]}
            body = {"name": "acme", "data": data, **nothing, **ids}
        self.answer(200 if is_health else self.status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "said"),
    [(403, "may not be read by this process (HTTP 403"), (200, "is shown to this process without its secret")],
)
def test_a_secret_that_may_not_be_read_is_said(pipeline: Practice, status: int, said: str) -> None:
    """Refused by the server, or hidden in what it shows."""
    Locked.status = status
    with serving(Locked) as place, temporary_settings({PREFECT_API_URL: f"http://{place}/api"}):
        done = leadgate("plan", config=pipeline.file)
    assert done.code == 2
    assert f"leadbyte.api_key: the block leadbyte-credentials/acme {said}" in done.stderr


def test_a_secret_that_is_no_text_is_said(pipeline: Practice) -> None:
    """What it holds is not repeated."""
    Secret(value={"url": "x"}).save("acme", overwrite=True)
    said = told(pipeline, "deadline: 24h", "deadline: 23h")
    assert "source.url: the block secret/acme holds no text: give it the address of the source as its value" in said
