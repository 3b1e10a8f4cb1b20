"""What the command line says of errors: always one line of what was got, expected, and to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

_PARAMETER = re.compile(r"`(\w+)(?:=([^`]*))?`")

_RENAMED_PARAMETERS = {
    "settings": "set",
    "recipes": "recipe",
    "animations": "animation",
    "start_seconds": "from",
    "stop_seconds": "to",
    "mapping": "as",
    "low_hz": "low",
    "high_hz": "high",
    "range_db": "range",
    "at_seconds": "at",
    "smoothing_seconds": "smoothing",
}
"""Parameters of the Python interface whose options are called otherwise."""

_NOT_ONE_OF = re.compile(r"(?:Value error, )?'(?P<value>.*)' is not one of (?P<choices>.+?)\.?")
_LIMIT = re.compile(r"Input should be (?P<kind>greater|less) than (?:or equal to )?(?P<limit>\S+)")
_WRONG_TYPE = re.compile(r"(?:Input should be a|.* is not a) valid (?P<type>\w+).*")
_OUT_OF_RANGE = re.compile(r"(?P<value>\S+) is not in the range (?P<range>\S+?)\.?")
_NO_COMMAND = re.compile(r"No such command '(?P<name>.*?)'.*", re.DOTALL)
_NO_VALUE = re.compile(r"Option '(?P<option>.*)' requires an argument\.?")
_TOO_MANY = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((?P<values>.*)\)")

_TYPES = {"int": "a whole number", "integer": "a whole number", "float": "a number"}


def with_options(message: str, options: Iterable[str]) -> str:
    """Return a message with the parameters in backticks as options of the command line.

    Examples
    --------
    >>> with_options("exists; give `overwrite=True` or `out=FILE`", ["--overwrite", "--out"])
    'exists; give --overwrite or --out FILE'
    """
    known = set(options)

    def option(match: re.Match[str]) -> str:
        name, value = match[1], match[2]
        flag = "--" + _RENAMED_PARAMETERS.get(name, name).replace("_", "-")
        if flag not in known:
            return match[0].strip("`")
        if value == "False":
            return flag.replace("--", "--no-", 1)
        if value in (None, "True"):
            return flag
        return f'{flag} "{value}"' if " " in value else f"{flag} {value}"

    return _PARAMETER.sub(option, message)


def plain_help(text: str) -> str:
    """Return the help of an option with its default and its range in words.

    Examples
    --------
    >>> plain_help("Read this many films.  [default: (one per processor); x>=1]")
    'Read this many films.  [default: one per processor; 1 or more]'
    """
    text = re.sub(r"\[default: \((.*?)\)(?=[;\]])", r"[default: \1", text)
    return re.sub(r"[\d.]*(?:<=)?x[<>]=?[\d.]*", lambda match: _range_in_words(match[0]), text)


def usage_message(error: Any) -> str:
    """Return in one line what is wrong with a command, as its parser found it."""
    command = "frame2sound" if error.ctx is None else error.ctx.command_path
    remedy = f"see: {command} --help"
    name = _parameter_name(error)
    message = str(error.message or "")
    if type(error).__name__ == "MissingParameter":
        return f"got no {name}, expected one; {remedy}"
    if hasattr(error, "possibilities"):
        near = _near_options(error)
        hint = f"did you mean {' or '.join(sorted(near))}?" if near else remedy
        return f"got {error.option_name}, expected an option of {command}; {hint}"
    if match := _NO_COMMAND.fullmatch(message):
        near = get_close_matches(match["name"], list(error.ctx.command.commands))
        hint = f"did you mean {' or '.join(near)}?" if near else remedy
        return f"got {match['name']}, expected a command; {hint}"
    if match := _TOO_MANY.fullmatch(message):
        return f"got {match['values']}, expected no further arguments; {remedy}"
    if match := _NO_VALUE.fullmatch(message):
        return f"got {match['option']} without a value, expected one; {remedy}"
    return f"{_value_message(name, _given_value(error), message)}; {remedy}"


def _value_message(name: str, value: str | None, message: str) -> str:
    """Return a message on a value; parsers of different versions say it differently."""
    expected = None
    if match := _NOT_ONE_OF.fullmatch(message):
        choices = match["choices"].replace("'", "").rsplit(", ", 1)
        value, expected = match["value"], " or ".join(choices)
    elif match := _LIMIT.fullmatch(message):
        expected = f"{match['limit']} or {'more' if match['kind'] == 'greater' else 'less'}"
    elif match := _OUT_OF_RANGE.fullmatch(message):
        value, expected = match["value"], _range_in_words(match["range"])
    elif match := _WRONG_TYPE.fullmatch(message):
        expected = _TYPES.get(match["type"], f"a {match['type']}")
    if expected is not None:
        return f"got {name} {value or ''}".rstrip() + f", expected {expected}"
    text = " ".join(message.split()).rstrip(".")
    return f"{name}: {text}" if name else text[:1].lower() + text[1:]


def _given_value(error: Any) -> str | None:
    """Return the value that a parser refused, where it tells."""
    details = getattr(error.__cause__, "errors", None)
    if callable(details):
        return str(details()[0].get("input"))
    match = re.match(r"(?:Value )?'(.*?)' is not", str(error.message))
    return match[1] if match else None


def _range_in_words(text: str) -> str:
    """Return a range in words.

    Examples
    --------
    >>> _range_in_words("x>=1"), _range_in_words("1<=x<=600")
    ('1 or more', '1 to 600')
    """
    low, high = re.match(r"(.*)<=x", text), re.search(r"x<=(.*)", text)
    least = re.fullmatch(r"x>=(.*)", text)
    if low and high:
        return f"{low[1]} to {high[1]}"
    if least:
        return f"{least[1]} or more"
    return f"{high[1]} or less" if high else text


def _parameter_name(error: Any) -> str:
    parameter = getattr(error, "param", None)
    if parameter is None:
        return str(getattr(error, "option_name", None) or "")
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).upper()
    return str(max(parameter.opts, key=len))


def _near_options(error: Any) -> list[str]:
    """Return the options spelt most like an unknown one, by what follows their dashes."""
    if error.ctx is None:
        return []
    options = {
        name.lstrip("-"): name
        for each in error.ctx.command.params
        for name in (*each.opts, *each.secondary_opts)
    }
    near = get_close_matches(error.option_name.lstrip("-"), [name for name in options if name[1:]])
    return [options[name] for name in near]
