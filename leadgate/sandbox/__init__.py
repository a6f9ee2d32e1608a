"""A LeadByte to practise on: a real HTTP server with a quarantine, fault switches, and a count of acts per lead."""

from leadgate.sandbox.calls import PRACTICE_KEY, SandboxRequest
from leadgate.sandbox.faults import SWITCH_NAMES, FaultName, Faults, Permission, Switch, read_span
from leadgate.sandbox.quarantine import Act, LeadState, SandboxLead
from leadgate.sandbox.server import Sandbox
from leadgate.sandbox.thread import sandbox_thread

__all__ = [
    "PRACTICE_KEY",
    "SWITCH_NAMES",
    "Act",
    "FaultName",
    "Faults",
    "LeadState",
    "Permission",
    "Sandbox",
    "SandboxLead",
    "SandboxRequest",
    "Switch",
    "read_span",
    "sandbox_thread",
]
