"""Reading a model's file in a limited child process, with words about models where the limits are met."""

from __future__ import annotations

from typing import Any

from kd_core.data.files import sandbox
from kd_core.errors import DataError
from kd_core.limits import ONNX_SECONDS


def limited(noun: str, function: str, *arguments: Any) -> Any:
    """Call `package.module:function` in a limited child process (`sandbox.call`).

    Errors: DataError of the function itself; `model_stopped` where it takes too much time or memory, or crashes.
    """
    try:
        return sandbox.call(function, *arguments, seconds=ONNX_SECONDS)
    except DataError as error:
        if not error.code.startswith("parse_"):
            raise
        raise DataError(
            "The {noun} file was stopped in its child process: {why}",
            "Use a smaller model, or fewer rows; or save its answers as soft labels.",
            "model_stopped",
            noun=noun,
            why=error.message,
        ) from None
