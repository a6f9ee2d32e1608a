"""Every documented exchange, word for word, and who may ask."""

import pytest

from leadgate.sandbox import LeadState, Permission
from tests.sandbox.calling import Clock, Start

PATH = "/restapi/v1.3/leads"


async def test_an_update_answers_as_documented(start: Start) -> None:
    """PUT /leads answers with the documented body, the id as text, and no release results."""
    caller = await start()
    answer = await caller.put({"leads": [{"quarantineId": "2932682", "update": {"postcode": "TN25 6QD"}}]})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() == {
        "status": "Success",
        "message": "OK",
        "leads": [{"quarantineId": "2932682", "success": True, "message": "Quarantine lead updated"}],
    }
    assert caller.sandbox.quarantine.lead("2932682").fields == {"postcode": "TN25 6QD"}
    assert caller.sandbox.quarantine.acts == {}


async def test_every_answer_is_dated_by_the_clock_of_the_sandbox(start: Start) -> None:
    """As HTTP writes it, in whole seconds; also an answer that something failed."""
    clock = Clock()
    caller = await start(clock=clock)
    answers = [await caller.update("1"), await caller.update("1", key="wrong")]
    clock.advance(hours=10)
    caller.sandbox.faults.change({"5xx-before": "always"})
    answers.append(await caller.update("1"))
    assert [answer.status_code for answer in answers] == [200, 401, 502]
    at_noon, at_night = "Sun, 01 Mar 2026 12:00:00 GMT", "Sun, 01 Mar 2026 22:00:00 GMT"
    assert [answer.headers.get_list("Date") for answer in answers] == [[at_noon], [at_noon], [at_night]]


@pytest.mark.parametrize(("action", "said"), [("process", "processing"), ("reject", "rejection")])
async def test_an_update_with_an_act_answers_as_documented(start: Start, action: str, said: str) -> None:
    """PUT /leads with an action adds the release results under LeadByte's own spelling."""
    caller = await start()
    answer = await caller.update("2932682", action=action)
    assert answer.json() == {
        "status": "Success",
        "message": "OK",
        "leads": [{"quarantineId": "2932682", "success": True, "message": "Quarantine lead updated"}],
        "quaratineReleaseResults": [f"Quarantine ID '2932682' queued for {said}"],
    }


@pytest.mark.parametrize(("action", "said"), [("process", "processing"), ("reject", "rejection")])
async def test_an_act_answers_as_documented(start: Start, action: str, said: str) -> None:
    """POST /quarantine/process takes the id as a number and answers with it as a key."""
    caller = await start()
    answer = await caller.act(8419715, action)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "Success",
        "message": "Quarantined lead(s) processed successfully",
        "details": {"8419715": f"Queued for {said}"},
    }


async def test_an_empty_batch_is_a_success(start: Start) -> None:
    """PUT /leads with no leads answers 200 with none."""
    caller = await start()
    answer = await caller.put({"leads": []})
    assert (answer.status_code, answer.json()) == (200, {"status": "Success", "message": "OK", "leads": []})


async def test_only_the_acting_leads_of_a_batch_have_release_results(start: Start) -> None:
    """A batch may hold updates with and without an act."""
    caller = await start()
    leads = [{"quarantineId": i, "update": {"c1": "x"}} for i in ("1", "2")]
    answer = (await caller.put({"leads": [leads[0], leads[1] | {"action": "reject"}]})).json()
    assert [line["quarantineId"] for line in answer["leads"]] == ["1", "2"]
    assert answer["quaratineReleaseResults"] == ["Quarantine ID '2' queued for rejection"]


async def test_a_lead_that_has_left_is_said_not_to_be_there(start: Start) -> None:
    """After somebody moved a lead, updates and acts say it is not found, and change nothing."""
    caller = await start()
    caller.sandbox.quarantine.move(["7"], LeadState.MOVED)
    updated = (await caller.update("7", action="process")).json()
    assert updated["leads"] == [{"quarantineId": "7", "success": False, "message": "Quarantine lead not found"}]
    assert updated["quaratineReleaseResults"] == ["Quarantine ID '7' not found in quarantine"]
    acted = (await caller.act(7)).json()
    assert (acted["status"], acted["details"]) == ("Error", {"7": "Not found in quarantine"})
    assert caller.sandbox.quarantine.lead("7").state is LeadState.MOVED
    assert caller.sandbox.quarantine.acts == {}


async def test_strict_knows_only_the_leads_that_were_added(start: Start) -> None:
    """With strict an id that was not added is not there, one that was is quarantined."""
    caller = await start(strict=True)
    caller.sandbox.quarantine.add([1])
    lines = (await caller.update("1", "2")).json()["leads"]
    assert [line["success"] for line in lines] == [True, False]


async def test_without_strict_an_unseen_lead_is_quarantined(start: Start) -> None:
    """Nothing needs seeding."""
    caller = await start()
    assert (await caller.update("99")).json()["leads"][0]["success"] is True


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "The body is not JSON"),
        ("[]", "leads must be a list"),
        ('{"leads": {}}', "leads must be a list"),
        ('{"leads": [1]}', "a lead must be an object"),
        ('{"leads": [{"update": {}}]}', "quarantineId is required"),
        ('{"leads": [{"quarantineId": true}]}', "quarantineId is required"),
        ('{"leads": [{"quarantineId": "1", "update": [1]}]}', "update must be an object"),
        ('{"leads": [{"quarantineId": "1", "action": "sell"}]}', "action must be process or reject"),
        ('{"leads": [{"quarantineId": "1", "action": ["process"]}]}', "action must be process or reject"),
    ],
)
async def test_a_malformed_batch_is_a_400_that_says_why(start: Start, body: str, said: str) -> None:
    """A body that is not as documented is refused whole."""
    caller = await start()
    answer = await caller.client.put(PATH, content=body, headers={"X_KEY": "practice-key"})
    assert (answer.status_code, answer.json()) == (400, {"status": "Error", "message": said})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"action": "process"}, "quarantineId is required"),
        ({"quarantineId": 1}, "action is required"),
        ([], "a lead must be an object"),
    ],
)
async def test_a_malformed_act_is_a_400_that_says_why(start: Start, body: object, said: str) -> None:
    """An act without an id or an action is refused."""
    caller = await start()
    answer = await caller.client.post("/restapi/v1.3/quarantine/process", json=body, headers={"X_KEY": "practice-key"})
    assert (answer.status_code, answer.json()["message"]) == (400, said)


async def test_an_act_by_put_without_fields_is_not_taken(start: Start) -> None:
    """An act without an update belongs to POST: by PUT neither is taken."""
    caller = await start()
    answer = (await caller.put({"leads": [{"quarantineId": "1", "action": "process"}]})).json()
    assert answer["leads"][0]["success"] is False
    assert answer["quaratineReleaseResults"] == ["Quarantine ID '1' could not be queued for processing"]
    assert caller.sandbox.quarantine.acts == {}


async def test_an_unknown_call_is_a_404_on_record(start: Start) -> None:
    """A wrong path or method under the API is answered and recorded."""
    caller = await start()
    assert (await caller.client.get(PATH)).status_code == 404
    assert [(e.method, e.path, e.status) for e in caller.sandbox.requests] == [("GET", PATH, 404)]


@pytest.mark.parametrize(
    ("permission", "update", "update_and_act", "act"),
    [
        (Permission.FULL, 200, 200, 200),
        (Permission.UPDATE_ONLY, 200, 403, 403),
        (Permission.PROCESS_ONLY, 403, 403, 200),
        (Permission.READ_ONLY, 403, 403, 403),
    ],
)
async def test_a_key_may_do_what_its_permission_says(
    start: Start, permission: Permission, update: int, update_and_act: int, act: int
) -> None:
    """Each call needs its permission, an update with an act needs both, and a 403 applies nothing."""
    caller = await start(keys={"k": permission})
    assert (await caller.update("1")).status_code == update
    assert (await caller.update("2", action="process")).status_code == update_and_act
    assert (await caller.act("3")).status_code == act
    acted = {lead_id for lead_id, status in (("2", update_and_act), ("3", act)) if status == 200}
    assert set(caller.sandbox.quarantine.acts) == acted
    assert caller.sandbox.quarantine.counts()["quarantined"] == (1 if update == 200 else 0)


async def test_a_wrong_or_missing_key_is_a_401_and_never_on_record(start: Start) -> None:
    """Without a known key nothing is applied, and the record holds labels in place of keys."""
    caller = await start(keys={"first": Permission.READ_ONLY, "second": Permission.FULL})
    assert (await caller.update("1", key="guessed-key")).status_code == 401
    assert (await caller.client.put(PATH, json={"leads": []})).status_code == 401
    assert (await caller.client.put(f"{PATH}?X_KEY=second", json={"leads": []})).status_code == 401
    assert (await caller.update("1", key="second")).status_code == 200
    assert [e.key for e in caller.sandbox.requests] == ["wrong", "none", "none", "key-2"]
    assert "second" not in repr(caller.sandbox.requests)
    assert "guessed-key" not in repr(caller.sandbox.requests)
