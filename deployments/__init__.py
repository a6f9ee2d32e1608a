"""When and where flows run: one manifest (prefect.yaml), for a Prefect server (apply.py) or a laptop (serve.py)."""

import sys

from leadgate.errors import ConfigError
from leadgate.prefect_settings import settings_errors
from leadgate.sign_of_life import begin_sign, end_sign

if f"{__name__}.apply" in sys.orig_argv:
    begin_sign("Loading Prefect ...")  # here: it takes seconds, and begins below

# Whatever here imports Prefect would end with its traceback, and quote what it cannot read.
try:
    with settings_errors():
        from prefect.settings import get_current_settings

        get_current_settings()
except ConfigError as _error:
    end_sign()
    print(f"leadgate: {_error}", file=sys.stderr)  # noqa: T201 - a command speaks
    sys.exit(2)
