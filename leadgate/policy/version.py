"""The name that rules have in the ledger, by all that decides. Apart from compiling them, which takes CEL."""

import hashlib
import json

from leadgate.config import PolicyConfig


def version_of(config: PolicyConfig) -> str:
    """Name these rules: 12 hex digits of their canonical text."""
    return hashlib.sha256(canonical_text(config).encode()).hexdigest()[:12]


def canonical_text(config: PolicyConfig) -> str:
    """Write all that decides as JSON, always alike for the same rules; `hold_for` does not decide and is left out."""
    content = config.model_dump(mode="json", include={"rules", "otherwise", "keep_facts"})
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
