"""A LeadByte to practise on: a real HTTP server with a quarantine, fault switches, and a count of acts per lead."""

from leadgate.sandbox.calls import Exchange
from leadgate.sandbox.faults import SWITCH_NAMES, Fault, Faults, Permission, Switch, read_span
from leadgate.sandbox.quarantine import Act, LeadState, SandboxLead
from leadgate.sandbox.server import PRACTICE_KEY, Record, Sandbox
from leadgate.sandbox.thread import SandboxOptions, sandbox_thread

__all__ = [
    "PRACTICE_KEY",
    "SWITCH_NAMES",
    "Act",
    "Exchange",
    "Fault",
    "Faults",
    "LeadState",
    "Permission",
    "Record",
    "Sandbox",
    "SandboxLead",
    "SandboxOptions",
    "Switch",
    "read_span",
    "sandbox_thread",
]
