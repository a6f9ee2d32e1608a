"""docs/sandbox.md is complete: every switch, option and control call stands in it, and nothing that is not there."""

import inspect
import re
from pathlib import Path

import pytest
from aiohttp import web

from cli.sandbox import sandbox
from leadgate.sandbox import SWITCH_NAMES, Faults, Sandbox
from leadgate.sandbox.control import add_control
from tests.sandbox.calling import Start

DOCS = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading."""
    return DOCS.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_switch_and_setting_has_a_row_and_every_row_is_one() -> None:
    """The two tables under Switches name exactly what --fault accepts."""
    tables = section("Switches").split("| switch |")[1]
    assert sorted(re.findall(r"^\| `([^`]+)` \|", tables, re.MULTILINE)) == sorted(SWITCH_NAMES)


def test_every_example_in_the_switch_table_is_accepted() -> None:
    """An example can be typed as it stands."""
    examples = re.findall(r"^\| `([^`]+)` \|.*\| `([^`]+)=([^`]+)` \|$", section("Switches"), re.MULTILINE)
    assert len(examples) > 20
    for switch, name, value in examples:
        assert name == switch
        assert Faults({name: value})


def test_every_option_has_a_row_and_every_row_is_one() -> None:
    """The table under Start names exactly the command's options."""
    renamed = {"as_json": "json"}
    options = {f"--{renamed.get(name, name)}" for name in inspect.signature(sandbox).parameters}
    assert set(re.findall(r"^\| `(--[a-z]+)` \|", section("Start"), re.MULTILINE)) == options


def test_every_control_call_has_a_row_and_every_row_is_one() -> None:
    """The table under Control API names exactly the calls there are."""
    app = web.Application()
    add_control(app, Sandbox())
    calls = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource and route.method != "HEAD"
    }
    assert set(re.findall(r"^\| `((?:GET|POST) [^`]+)` \|", section("Control API"), re.MULTILINE)) == calls


CURLS = re.findall(r"curl (?:-X (POST) )?localhost:8765(\S+)(?: -d '(.+)')?", DOCS)


@pytest.mark.parametrize(("method", "path", "body"), CURLS)
async def test_every_curl_line_works(start: Start, method: str, path: str, body: str) -> None:
    """A line can be typed as it stands; curl posts when it is given a body."""
    caller = await start()
    caller.sandbox.quarantine.add(["2932682"])
    answer = await caller.client.request(method or ("POST" if body else "GET"), path, content=body)
    assert answer.status_code == 200
    assert len(CURLS) == 3
