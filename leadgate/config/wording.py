"""What pydantic finds wrong with a value of the pipeline file, in plain words. No value is quoted here."""

from pydantic_core import ErrorDetails

_WORDS = {
    "list_type": "needs a list: one item a line, each after `- `",
    "model_type": "needs keys of its own, one a line below it",
    "dict_type": "needs keys of its own, one a line below it",
    "bool_type": "needs true or false",
    "bool_parsing": "needs true or false",
    "int_type": "needs a whole number",
    "int_parsing": "needs a whole number",
    "int_parsing_size": "needs a smaller number",
    "int_from_float": "needs a whole number",
    "float_type": "needs a number",
    "float_parsing": "needs a number",
    "finite_number": "needs a number that is not infinite",
    "string_too_short": "is empty: fill it in",
    "too_short": "is empty: write one item at least",
    "string_too_long": "is longer than {max_length} characters: shorten it",
    "greater_than_equal": "is too small: write {ge} at least",
    "less_than_equal": "is too large: write {le} at most",
}


def plain_words(fault: ErrorDetails) -> str:
    """Say what a value needs. What is not listed here keeps pydantic's words."""
    if fault["input"] is None and fault["type"].endswith("_type"):
        return _WORDS["string_too_short"]
    if fault["type"] == "string_type":
        is_scalar = isinstance(fault["input"], bool | int | float)
        return "needs text: put quotes around it" if is_scalar else "needs text: one line, or several behind `>`"
    words = _WORDS.get(fault["type"])
    return words.format(**fault.get("ctx", {})) if words else fault["msg"]
