"""`leadgate test`: the policy's examples, decided by its rules. The module is not called after its verb: pytest's."""

from pathlib import Path

from cli.blocks import read_block
from cli.options import TypesOption
from cli.output import ATTENTION, FINE, ConfigOption, JsonOption, reports_errors, say, say_json, say_lines, stop
from leadgate.policy.examples import Examined
from leadgate.wiring.checks import examine_pipeline


@reports_errors
def examples(
    *, config: ConfigOption = Path("leadgate.yaml"), types: TypesOption = None, as_json: JsonOption = False
) -> None:
    """Decide the file's `examples` by its rules: which fail, why, and which rules no example covers.

    Rules and examples are checked against the source's columns first: as the file of types has them, if there is one
    (then neither key nor source is needed), or as the source has them. Nothing is read from its rows, and nothing is
    sent.
    """
    examined, types_of = examine_pipeline(config, read_block, types)
    if as_json:
        say_json(
            {
                "ok": not examined.failures,
                "examples": examined.count,
                "failures": [
                    {
                        "example": failure.example,
                        "expected": failure.expected,
                        "decided": failure.decided,
                        "reason": failure.reason,
                        "tried": [{"rule": rule, "why": why} for rule, why in failure.tried],
                    }
                    for failure in examined.failures
                ],
                "uncovered": examined.uncovered,
                "types": types_of,
            }
        )
    else:
        _tell(config, examined, types_of)
    stop(ATTENTION if examined.failures else FINE)


def _tell(config: Path, examined: Examined, types_of: str) -> None:
    if not examined.count:
        say(f"{config}: there are no examples; docs/rules.md shows how to write some.")
        return
    for failure in examined.failures:
        say_lines(str(failure))
    passed = examined.count - len(examined.failures)
    say(f"{passed} of {examined.count} examples decided as expected, by the types of {types_of}.")
    if examined.uncovered:
        say(f"No example covers: {', '.join(examined.uncovered)}.")
