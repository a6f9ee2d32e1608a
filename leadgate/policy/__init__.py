"""The rules: what they may say, their checks, and decide(). Pure: no database, no network, no clock.

names -> faults -> allowed -> language -> deciding -> compiling; `language` alone knows the CEL library.
"""

from leadgate.policy.compiling import compile_policy
from leadgate.policy.deciding import Policy

__all__ = ["Policy", "compile_policy"]
