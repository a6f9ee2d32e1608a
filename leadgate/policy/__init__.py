"""The rules: what they may say, their checks, and decide(). Pure: no database, no network, no clock.

names -> faults -> allowed -> language -> deciding -> compiling; `language` alone knows the CEL library. What tells
people of decisions (trace) needs none of it, so each module is imported by its own name.
"""
