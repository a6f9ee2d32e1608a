"""A LeadByte to practise on: a real HTTP server with a quarantine, fault switches, and a count of acts per lead."""

from leadgate.sandbox.calls import PRACTICE_KEY as PRACTICE_KEY
from leadgate.sandbox.calls import SandboxRequest as SandboxRequest
from leadgate.sandbox.faults import SWITCH_NAMES as SWITCH_NAMES
from leadgate.sandbox.faults import FaultName as FaultName
from leadgate.sandbox.faults import Faults as Faults
from leadgate.sandbox.faults import Permission as Permission
from leadgate.sandbox.faults import Switch as Switch
from leadgate.sandbox.faults import read_span as read_span
from leadgate.sandbox.quarantine import Act as Act
from leadgate.sandbox.quarantine import LeadState as LeadState
from leadgate.sandbox.server import Sandbox as Sandbox
from leadgate.sandbox.server import sandbox_thread as sandbox_thread
