"""How the commands of this folder end: with a sentence and an exit code, never with a traceback."""

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from json import JSONDecodeError

import httpx
from prefect.settings import PREFECT_API_URL
from pydantic import ValidationError

from leadgate.errors import LeadgateError, problems_of
from leadgate.prefect_settings import server_problem
from leadgate.printable import on_their_lines
from leadgate.sign_of_life import end_sign
from leadgate.unexpected import shows_tracebacks, unexpected

ATTENTION, WRONG = 1, 2
_OF_THE_SERVER = (httpx.HTTPError, httpx.InvalidURL, JSONDecodeError, ValidationError)
"""What Prefect's client raises of a server that is not there, or is not one of Prefect's."""


def ends_in_a_sentence(main: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int]:
    """Let a command end with 2 for what is wrong, and with 1 for what nobody foresaw; each is said in one sentence."""

    @wraps(main)
    def wrapped(arguments: Sequence[str]) -> int:
        try:
            return main(arguments)
        except LeadgateError as error:
            _complain(error)
            return WRONG
        except _OF_THE_SERVER as error:
            _complain(server_problem(error, PREFECT_API_URL.value() or ""))
            return WRONG
        except Exception as error:  # the edge of the program
            if shows_tracebacks():
                raise
            _complain(unexpected(error))
            return ATTENTION
        finally:
            end_sign()

    return wrapped


def _complain(error: LeadgateError) -> None:
    end_sign()
    for problem in problems_of(error):
        print(f"leadgate: {on_their_lines(problem)}", file=sys.stderr)  # noqa: T201 - a command speaks
