"""What only reads or writes the ledger needs the ledger alone: no key, no source, no block and no LeadByte."""



COMPLETE = {"postcode": "TN25 6QD", "phone_verified": True}

VERBS = [
    ("status",),
    ("status", "--json"),
    ("explain", 1),
    ("explain", 1, "--json"),
    ("review", "list"),
    ("review", "list", "--json"),
    ("review", "process", 3, "--reason", "Looked at.", "--by", "Kim"),
    ("review", "reject", 3, "--reason", "Looked at.", "--by", "Kim"),
    ("review", "wait", 3, "--reason", "Looked at.", "--by", "Kim"),
    ("review", "again", 3, "--by", "Kim"),
    ("review", "settle", 3, "--was", "processed", "--by", "Kim"),
    ("failed", "list"),
    ("failed", "list", "--json"),
    ("retry", 4),
    ("discard", 4, "--reason", "Old.", "--by", "Kim"),
    ("pause", "--reason", "A look first.", "--by", "Kim"),
    ("resume",),
    ("report",),
    ("ledger", "show"),
]
