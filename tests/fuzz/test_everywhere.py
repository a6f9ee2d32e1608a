"""Hundreds of made-up people go the whole way, and LeadByte repeats what is known of them, in every spelling.

All that leadgate and Prefect have kept or said is searched for them afterwards.
"""

import os
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, create_engine, text

from leadgate.ledger.schema import metadata
from tests.fuzz.people import Search, make_person, spell
from tests.support.cases import CASES
from tests.support.command import leadgate, start_leadgate, wait_for
from tests.support.http_server import Handler, serving
from tests.support.pipelines import Practice
from tests.support.prefect_server import PrefectServer

COLUMNS = ("full_name", "email", "street", "born")
STRANGERS = 1_000_000
"""Numbers of people from here on are nobody's that was ever sent."""


class _Repeating(Handler):
    """A LeadByte whose every answer quotes people: those of the request, and others."""

    def respond(self) -> None:
        (self._put if self.command == "PUT" else self._post)()

    def _put(self) -> None:
        items = self.read_json()["leads"]
        chance = random.Random(int(items[0]["quarantineId"]) if items else 0)  # noqa: S311 - no secret
        status = chance.choice([200] * 8 + [400, 422, 500, 503])
        complaint = " and ".join(self._quote(chance, items) for _ in range(5))
        lines, releases = [], []
        for item in items:
            lead_id, said = item["quarantineId"], self._quote(chance, [*items, item])
            line: dict[str, Any] = {"quarantineId": lead_id, "success": chance.random() > 0.2, "message": said}
            lines.append(line | {chance.choice(["errors", "warnings"]): [{"detail": self._quote(chance, items)}]})
            if "action" in item:
                done = f"queued for {'processing' if item['action'] == 'process' else 'rejection'}"
                releases.append(
                    f"Quarantine ID '{lead_id}' {chance.choice([done, 'went'])}; {self._quote(chance, items)}"
                )
        body = {"status": "Success" if status == 200 else "Error", "message": complaint, "leads": lines}
        if status != 200:
            del body["leads"]
        self.answer_json(status, body | ({"quaratineReleaseResults": releases} if status == 200 else {}))

    def _post(self) -> None:
        asked = self.read_json()
        self.answer_json(
            200, {"status": "Success", "message": "OK", "details": {str(asked["quarantineId"]): "Nobody knows"}}
        )

    def _quote(self, chance: random.Random, items: list[dict[str, Any]]) -> str:
        update: Mapping[str, str] = chance.choice(items).get("update", {}) if items else {}
        if not update or chance.random() < 0.1:
            stranger = make_person(STRANGERS + chance.randrange(CASES)).values
            named = [spell(chance, column, stranger[column]) for column in ("email", "mobile")]
            return f"Duplicate of {', '.join(named)}"
        field, value = chance.choice(list(update.items()))
        said = spell(chance, {"phone1": "mobile", "dob": "born"}.get(field, field), value)
        return chance.choice(
            ["{} is not valid", "Invalid {}", "{}", "Lead of {} is busy", "could not store {} in " + field]
        ).format(said)


def fill(practice: Practice) -> None:
    """Put the people into the source, a lead each; some of them with a value that cannot be read."""
    with practice.source.begin() as connection:
        for column in COLUMNS:
            connection.execute(text(f"alter table lead_enrichment add column {column} text"))
    practice.enrichment = Table("lead_enrichment", MetaData(), autoload_with=practice.source)
    at = datetime.now(UTC).replace(tzinfo=None)
    practice.add_leads({"quarantine_id": n, "quarantined_at": at - timedelta(hours=1)} for n in range(1, CASES + 1))
    usual = {"phone_verified": True, "opted_out": False, "updated_at": at}
    practice.add_enrichment(
        {"quarantine_id": n, "postcode": "TN25 6QD", "score": 0.9 - (n % 5) / 10} | usual | dict(make_person(n).values)
        for n in range(1, CASES + 1)
    )
    with practice.source.begin() as connection:
        spoil = "update lead_enrichment set score = full_name where quarantine_id % 7 = 0"
        connection.execute(text(spoil))


def test_nobody_is_found_anywhere(tmp_path: Path, prefect_process: PrefectServer) -> None:
    """Of what was sent, and of strangers whom LeadByte names: not a value, in whatever spelling."""
    with serving(_Repeating) as place:
        practice = Practice(tmp_path, f"http://{place}")
        practice.edit(
            "  phone1: mobile",
            "  phone1: mobile\n  email: email\n  full_name: full_name\n  street: street\n  dob: born",
        )
        practice.edit("  keep_facts: [score]", "delivery: {attempts: 2}")
        practice.edit("Phone verified and a score of {score}.", "Verified.")
        practice.trust_leadbyte()
        fill(practice)
        environment = os.environ | {
            "PREFECT_API_URL": prefect_process.api_url,
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
        }
        said = []
        for verb in (
            ["plan", "--json", "--out", str(tmp_path / "plan.json")],
            ["run", "--verbose"],
            ["run"],
            ["check"],
        ):
            ended = wait_for(start_leadgate(*verb, config=practice.file, env=environment), seconds=600)
            said.append(ended.stdout + ended.stderr)
        for verb in (["status", "--json"], ["review", "list"], ["report", "--out", str(tmp_path / "report.html")]):
            ended = leadgate(*verb, config=practice.file)
            said.append(ended.stdout + ended.stderr)
        looked_at = range(1, CASES + 1, max(1, CASES // 25))
        said += [leadgate("explain", number, config=practice.file).stdout for number in looked_at]
    engine = create_engine(f"sqlite:///{tmp_path / 'leadgate.db'}")
    with engine.connect() as connection:
        rows = [tuple(row) for table in metadata.tables.values() for row in connection.execute(table.select())]
    engine.dispose()
    practice.close()
    places = {"the terminal": "\n".join(said), "the ledger": "\n".join(map(str, rows))}
    for folder in (tmp_path, prefect_process.process.folder):
        for path in folder.rglob("*"):
            if path.is_file() and not path.name.startswith("source.db"):
                places[path.name] = path.read_bytes().decode("utf-8", "ignore")
    assert "prefect.db" in places
    assert "[full_name]" in places["the ledger"], "LeadByte has quoted names, and they were seen"
    search = Search(make_person(number) for first in (1, STRANGERS) for number in range(first, first + CASES))
    assert {place: found for place, content in places.items() if (found := search(content)[:5])} == {}
