"""The texts that drivers give: bytes that are no UTF-8 stay in them as half characters, which no value may hold."""

from functools import partial

as_utf8 = partial(bytes.decode, encoding="utf-8", errors="surrogateescape")
