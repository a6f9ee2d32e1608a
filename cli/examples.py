"""`leadgate test`: the policy's examples, decided by its rules. The module is not called after its verb: pytest's."""

from pathlib import Path

from cli.blocks import read_block
from cli.output import ATTENTION, FINE, ConfigOption, JsonOption, reports_errors, say, say_json, say_lines, stop
from leadgate.policy.examples import Examined
from leadgate.wiring.checks import examine_pipeline


@reports_errors
def examples(*, config: ConfigOption = Path("leadgate.yaml"), as_json: JsonOption = False) -> None:
    """Decide the file's `examples` by its rules: which fail, why, and which rules no example covers.

    Rules and examples are checked against the source's columns first. Nothing is read from its rows, and nothing is
    sent.
    """
    examined = examine_pipeline(config, read_block)
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
            }
        )
    else:
        _tell(config, examined)
    stop(ATTENTION if examined.failures else FINE)


def _tell(config: Path, examined: Examined) -> None:
    if not examined.count:
        say(f"{config}: there are no examples; docs/rules.md shows how to write some.")
        return
    for failure in examined.failures:
        say_lines(str(failure))
    passed = examined.count - len(examined.failures)
    say(f"{passed} of {examined.count} examples decided as expected.")
    if examined.uncovered:
        say(f"No example covers: {', '.join(examined.uncovered)}.")
