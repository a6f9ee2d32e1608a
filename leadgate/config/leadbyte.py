"""LeadByte's address, key and patience as they may stand in a file, a variable or a block. No message quotes a key."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

from leadgate.config.section import Unfit
from leadgate.hosts import LARGEST_PORT, ip_of, is_this_machine

_WRITE = "write https://YOUR-ACCOUNT.leadbyte.com (or .co.uk)"
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){0,20}\.?")
_LEADBYTE = re.compile(r"(.*\.)?leadbyte(\.[a-z]{2,63}){1,2}\.?")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"

LONGEST_CONNECT = timedelta(seconds=10)


def longest_exchange(timeout: timedelta) -> timedelta:
    """How long one request may be under way: connecting (10 s at most), writing and reading."""
    return min(LONGEST_CONNECT, timeout) + 2 * timeout


def check_base_url(address: str, *, insecure_http: bool) -> None:
    """Raise Unfit for what is no address, or one to which the key would travel in the clear.

    `insecure_http` allows that to hosts other than LeadByte's own.
    """
    if not re.match(r"https?://[^/\s]", address):
        raise Unfit(f"is not an address: {_WRITE}")
    if not re.fullmatch(r"[!-~]+", address):
        raise Unfit(f"holds a blank, a line break or a letter that no address has: {_WRITE}")
    if re.search(r"[?#@\\]", address):
        raise Unfit(f"holds a user, a password or a query: {_WRITE}, and no more")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", 0
    if port is not None and not 1 <= port <= LARGEST_PORT:
        raise Unfit(f"holds no port from 1 to {LARGEST_PORT}: {_WRITE}")
    if not (_HOST.fullmatch(host) or ip_of(host)):
        raise Unfit(f"is not an address: {_WRITE}")
    if parts.scheme == "https" or is_this_machine(host):
        return
    if _LEADBYTE.fullmatch(host):
        raise Unfit("begins with http://, which would send the key in the clear: write https://")
    if not insecure_http:
        raise Unfit(
            "begins with http://, which would send the key and the leads in the clear: write https://, or "
            "`leadbyte.insecure_http: true` if nobody can listen on the way"
        )


def about_the_clear(base_url: str) -> str | None:
    """Say that the key travels unencrypted to another machine; None if it does not."""
    parts = urlsplit(base_url)
    if parts.scheme != "http" or is_this_machine(parts.hostname or ""):
        return None
    return (
        "leadbyte.insecure_http: the key and the leads travel in the clear, and whoever listens on the way has both. "
        "Write https:// as soon as you can."
    )


def shown_address(base_url: str) -> str:
    """Name LeadByte in a message: its address where that is one of LeadByte's or of this machine, else the key."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    is_harmless = _LEADBYTE.fullmatch(host) or is_this_machine(host)
    return f"{parts.scheme}://{parts.netloc}" if is_harmless else "the address of leadbyte.base_url"


def checked_key(key: str) -> str:
    """Give a key without the blanks around it; raise Unfit for what no key can be."""
    key = key.strip()
    if key and (key[0] in _QUOTES or key[-1] in _QUOTES):
        raise Unfit("stands in quotes, which would be sent as a part of the key: delete the quotes")
    if not re.fullmatch(r"[!-~]+", key):
        raise Unfit("is empty, or holds characters that no key has: copy it again from LeadByte")
    return key
