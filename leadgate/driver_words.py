"""What a database reports, in our own words: a driver likes to quote what it complains about, and that is a person's.

Of a driver's text nothing is passed on but the names of tables, columns and functions, and those only if the statement
that failed holds them too. What is not known here is named by its kind alone.
"""

import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from leadgate.errors import LeadgateError

_LONGEST = 1000
"""Characters of a driver's text that are looked at."""
_NAME = r"""(?:(?:`[^`]{1,126}`\.)?["'`]([^"'`]{1,254})["'`]|(\w[\w.$]{0,126}))"""
"""A name in a driver's text, in its quotes; MariaDB puts the schema before it, in quotes of its own."""
_REST = r"(\w[\w.$ -]{0,254}?)"
"""A name without quotes that may hold blanks, up to what follows it."""
_LARGEST_CODE = 65535


class _Known(NamedTuple):
    """Something that databases report: how it is recognised, with the name in a group, and our words for it."""

    pattern: re.Pattern[str]
    words: str


def _known(pattern: str, words: str) -> _Known:
    return _Known(re.compile(pattern.replace("NAME", _NAME).replace("REST", _REST), re.IGNORECASE), words)


_OPTION = (
    r"connection option|unexpected keyword|invalid (?:dsn|uri)|is bad: (?:invalid|definition)|"
    r"unrecognized configuration parameter|invalid command-line argument|invalid connection option|"
    r"invalid value for parameter|channel binding required|could not parse network address|certificate file|"
    r"FATAL: +(?:invalid|--)"
)

# In this order; the words that people look up are kept.
_KNOWN = (
    _known(r"\A(?:no such table: NAME|relation NAME does not exist|table NAME doesn't exist)", "there is no table"),
    _known(r"\A(?:no such column: NAME|column (?:NAME|REST) does not exist|unknown column NAME)", "there is no column"),
    _known(r"\A(?:no such function: NAME|function NAME\b.* does(?: not|n't) exist)", "there is no function"),
    _known(r"\A(?:ambiguous column name: NAME|column(?: reference)? NAME .*ambiguous)", "ambiguous column"),
    _known(r"\Amissing from-clause entry for table NAME", "missing FROM-clause entry for table"),
    _known(r"\A(?:schema|type|no such collation sequence:) NAME", "there is no schema, type or collation"),
    _known(r"\A(?:relation|table|index) NAME already exists", "already exists:"),
    _known(r"constraint failed: (leadgate_[a-z_]+)|violates \w+ constraint \"(leadgate_[a-z_]+)", "it breaks"),
    _known(r"\Aoperator does not exist", "an operator does not fit its types"),
    _known(r"\Ashow view command denied .* for \w+ NAME", "its user lacks the right SHOW VIEW on"),
    _known(r"\Aexecute command denied .* for \w+ NAME", "there is no function that its user may call:"),
    _known(r"\Apermission denied for \w+ (?:NAME|REST)\Z", "permission denied for"),
    # MariaDB says so of a table that is not there, too.
    _known(r"\A\w+ command denied .* for \w+ NAME", "permission denied, or not there:"),
    _known(r"references invalid table", "the view names what is gone, or its owner lacks a right"),
    _known(r"permission denied|command denied|not authorized", "permission denied"),
    _known(r"\Ainvalid input syntax for type", "a cast does not fit one of the values: leave such rows out"),
    _known(r"out of range for type", "a cast does not fit one of the values: leave such rows out"),
    _known(r"\A(?:near NAME: syntax error|syntax error at or near NAME)", "syntax error near"),
    _known(r"syntax error|error in your sql syntax|incomplete input|unrecognized token", "syntax error"),
    _known(r"readonly database|read-?only transaction|--read-only", "attempt to write a readonly database"),
    _known(r"statement timeout|max_statement_time|statement execution time", "a statement took too long"),
    _known(r"lock timeout|lock wait timeout", "another process holds a lock for too long"),
    _known(r"is locked", "database is locked"),
    _known(r"connection refused", "connection refused"),
    _known(r"translate host|service not known|name resolution|getaddrinfo|no address", "its host is not known"),
    _known(r"timeout expired|timed out|timeout", "no answer in time"),
    _known(r"network is unreachable|no route to host", "its host cannot be reached from here"),
    _known(r"access denied for user .* to database", "there is no such database, or its user may not use it"),
    _known(r"authentication failed|no password|access denied for user|\brole \"", "its user or password is refused"),
    _known(r"pg_hba\.conf|not allowed to connect", "the server lets nobody in from here"),
    _known(r"\bdatabase \".* does not exist|unknown database", "there is no such database"),
    _known(r"closed the connection|connection (?:is|was) (?:closed|lost)|lost connection", "the connection was lost"),
    _known(r"connection reset|broken pipe|terminating connection|gone away|not connected", "the connection was lost"),
    _known(r"starting up|shutting down|recovery mode", "the server is starting or stopping"),
    _known(r"too many (?:clients|connections)|connection slots", "it has no connection left"),
    _known(r"\bssl\b|\btls\b|certificate", "TLS could not be agreed on"),
    _known(_OPTION, "an option of the address cannot be used"),
    _known(r"unable to open", "the file cannot be opened"),
    _known(r"no space left|disk is full", "the disk is full"),
    _known(r"disk i/o error", "disk I/O error"),
    _known(r"is not a database|file is encrypted", "the file is not a SQLite database"),
    _known(r"image is malformed", "the file is damaged"),
    _known(r"on socket .*no such file or directory", "there is no server at this socket"),
    _known(r"could not access file", "the server cannot load one of its libraries"),
    _known(r"no schema has been selected", "no schema of its search_path exists"),
)


def driver_words(error: BaseException, ours: Container[str] = ()) -> str:
    """Put what a driver or SQLAlchemy raised in our own words, without a value, a password or SQL.

    `ours` are names that are passed on wherever they come from.
    """
    original, line = _said(error)
    statement = str(getattr(error, "statement", None) or "").lower()
    for known in _KNOWN:
        if found := known.pattern.search(line):
            name = next(filter(None, found.groups()), "")
            name = name if name in ours else _held(name, statement)
            return f"{known.words} `{name}`" if name else known.words
    return f"the driver reports {_kind(original)}"


@contextmanager
def option_errors(instead: LeadgateError) -> Iterator[None]:
    """Connect inside of this: raise `instead` where a driver does not take an option of the address, or its value."""
    try:
        yield
    except LeadgateError:
        raise
    except SQLAlchemyError as error:
        if not re.search(_OPTION, _said(error)[1], re.IGNORECASE):
            raise
        raise instead from None
    except Exception:  # noqa: BLE001 - what drivers raise for options that they do not have, or cannot follow here
        raise instead from None


def _said(error: BaseException) -> tuple[BaseException, str]:
    """What the driver itself raised, and the first line of its text."""
    original = getattr(error, "orig", None) or error
    message = str(original.args[-1] if original.args else original).strip()[:_LONGEST]
    return original, (message.splitlines() or [""])[0]


def _held(name: str, statement: str) -> str:
    """As much of a name, from its end, as the statement holds: a driver may put schema or database before it."""
    parts: list[str] = []
    for part in reversed(name.split(".")):
        if not re.search(rf"(?<!\w){re.escape(part.lower())}(?!\w)", statement):
            break
        parts.insert(0, part)
    return ".".join(parts)


def _kind(error: BaseException) -> str:
    """The kind of an error as its driver names it: a class, with SQLite's name or MySQL's number for it."""
    name = type(error).__name__
    code = getattr(error, "sqlite_errorname", None) or next(iter(error.args), None)
    is_told = (isinstance(code, int) and 0 < code <= _LARGEST_CODE) or (
        isinstance(code, str) and code.startswith("SQLITE_")
    )
    return f"{name} {code}" if is_told else name
