from typing import Any


def write_report(table: dict[str, Any], comparison: Any, played: Any) -> None: ...
