"""What every recipe is made of: an immutable, checked, hashable set of fields, and a part chosen by name."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from kd_core.errors import SpecError
from kd_core.plain_values import check_plain, short, too_deep

MOST_PROBLEMS = 5  # told of one spec: nobody reads more, and a hostile file has a hundred thousand


def unit(name: str, **more: Any) -> Any:
    """Attach a unit and form hints to a field: `advanced=True`, `log=True`, `file=(endings)` of an upload, `model=True` of a model at hand, `run=True` of a finished run, `model_of=field` of a model of that run, `archs=role` of an architecture, `columns=True` of the data."""
    return {"unit": name, **more}


class Spec(BaseModel):
    """A frozen group of settings that refuses unknown keys.

    Fields in `later` came after runs had been hashed: at their default they are not written, so that old hashes hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, ser_json_inf_nan="constants")
    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = write(self)
        for name in self.later:
            if getattr(self, name) == type(self).model_fields[name].get_default(call_default_factory=True):
                values.pop(name, None)
        return values

    @classmethod
    def parse(cls, values: dict[str, Any], where: str = "settings") -> Self:
        """Build from plain values, reporting the first problems at once as one `SpecError`."""
        check_plain(values, where)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            lines = []
            for e in error.errors(include_url=False)[:MOST_PROBLEMS]:
                place = short(".".join(str(p) for p in e["loc"])) or where
                known = f" (known: {', '.join(cls.model_fields)})" if e["type"] == "extra_forbidden" else ""
                if e["type"] == "too_long":  # pydantic's own words name Python types and repeat the whole list
                    lines.append(f"{place}: At most {e['ctx']['max_length']} values, got {len(e['input'])}")
                    continue
                lines.append(f"{place}: {short(e['msg'])}, got {short(repr(e.get('input')))}{known}")
            more = error.error_count() - len(lines)
            lines += [f"and {more:,} more"] if more else []
            raise SpecError(
                "{n:,} {n:problem|problems} in {where}: {lines}",
                "Correct the values and try again.",
                "bad_spec",
                n=error.error_count(),
                where=where,
                lines="; ".join(lines),
            ) from None

    def to_json(self) -> str:
        """Write as canonical JSON: sorted keys, no spaces, so equal specs are equal text.

        Errors: SpecError for a value that JSON has no number for.
        """
        try:
            values = self.model_dump(mode="json")
            return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        except (ValueError, TypeError, RecursionError) as error:  # a setting given in code; read ones were checked
            raise SpecError(
                "A setting can't be written as JSON ({error}).",
                "Give plain numbers, texts and lists.",
                "bad_value",
                error=short(str(error)),
            ) from None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Errors: SpecError naming the first wrong fields."""
        try:
            values = json.loads(text)
        except RecursionError:
            raise too_deep(cls.__name__) from None
        except ValueError as error:
            raise SpecError(
                "The spec is not valid JSON: {error}.",
                "Check the file for a missing bracket or comma.",
                "bad_json",
                error=short(str(error)),
            ) from None
        return cls.parse(values, cls.__name__)

    def digest(self) -> str:
        """Hash the canonical JSON (sha256, hex)."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


class Choice(Spec):
    """A registered part by name, with its own settings."""

    name: str = Field(description="Name of the part.")
    settings: dict[str, Any] = Field(default_factory=dict, description="Settings of the part.")
