"""What nobody foresaw: an error of any other kind is told by its type and place, for its text may quote a person."""

import inspect
import os
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar, cast

from leadgate.errors import LeadgateError, UnexpectedError

_OURS = ("leadgate", "cli", "flows", "tasks", "deployments")

F = TypeVar("F", bound=Callable[..., Any])


def shows_tracebacks() -> bool:
    """Whether LEADGATE_TRACEBACK asks for everything that Python says of such an error."""
    return bool(os.environ.get("LEADGATE_TRACEBACK"))


def unexpected(error: Exception) -> UnexpectedError:
    """Put an error that nobody foresaw in our own words."""
    return UnexpectedError(
        f"unexpected {type(error).__name__} at {_place(error.__traceback__)}. This is a defect of leadgate. "
        "LEADGATE_TRACEBACK=1 shows more of it; the ledger is safe, run again to go on."
    )


def guarded(function: F) -> F:
    """Let a flow or a task raise nothing but errors whose text is ours: Prefect keeps and logs what is raised."""

    def explain(error: Exception) -> Exception:
        return error if isinstance(error, LeadgateError) or shows_tracebacks() else unexpected(error)

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the edge of what Prefect sees
            raise explain(error) from None

    @wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        try:
            return await function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the edge of what Prefect sees
            raise explain(error) from None

    return cast("F", awaited if inspect.iscoroutinefunction(function) else wrapped)


def _place(traceback: TracebackType | None) -> str:
    """The last line of ours that was reached, as module:line."""
    place = "an unknown place"
    while traceback:
        known = traceback.tb_frame.f_globals
        module = str(getattr(known.get("__spec__"), "name", None) or known.get("__name__", ""))
        if module.split(".", maxsplit=1)[0] in _OURS:
            place = f"{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
