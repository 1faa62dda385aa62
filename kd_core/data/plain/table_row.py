"""Rows of a table as features: what `views/table.TableView` gives, from what its blocks have learned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kd_core.limits import TURN_DIGITS

Learned = Mapping[str, Any]


def features(blocks: Mapping[str, Learned], rules: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> Any:
    """Encode rows as `plain/rows.Rows` has read them. Shape: (N, 1) per column -> (N, F) float32."""
    parts = [_column(block, rules[name], given[name][:, 0]) for name, block in blocks.items()]
    return np.concatenate(parts, axis=1)


def _column(block: Learned, rule: Mapping[str, Any], values: Any) -> Any:
    kind = rule.get("kind", "number")
    if kind == "number":
        return _numbers(block, values)
    if kind == "datetime":
        return _times(block, values)
    known = {float(label): code for label, code in block["known"].items()} if rule.get("codes") else block["known"]
    return _flags(block, known, values) if kind == "boolean" else _categories(block, known, values)


def _numbers(block: Learned, values: Any) -> Any:
    missing = np.isnan(values)
    scaled = ((np.where(missing, block["median"], values) - block["mean"]) / block["std"]).astype(np.float32)
    knots = block["knots"]
    found = np.interp(scaled, knots, block["heights"]) if len(knots) else np.clip(scaled, -10, 10)
    return np.column_stack([found, missing] if block["flag"] else [found]).astype(np.float32)


def _codes(known: Mapping[Any, int], values: Any, missing: int, unknown: int) -> Any:
    found = [missing if value == "" or value != value else known.get(value, unknown) for value in values.tolist()]
    return np.array(found, np.int64)


def _flags(block: Learned, known: Mapping[Any, int], values: Any) -> Any:
    codes = _codes(known, values, -1, -1)
    held = np.where(codes < 0, 0.5, np.minimum(codes, 1))
    return np.column_stack([held, codes < 0] if block["flag"] else [held]).astype(np.float32)


def _categories(block: Learned, known: Mapping[Any, int], values: Any) -> Any:
    if not len(block["frequency"]):
        codes = _codes(known, values, block["missing"], block["other"])
        hot = np.zeros((len(codes), block["width"]), np.float32)
        seen = codes >= 0  # a value never seen in training is none of the known ones: all zeros
        hot[np.flatnonzero(seen), codes[seen]] = 1
        return hot
    codes = _codes(known, values, len(known) + 1, len(known))
    often = block["frequency"][codes]
    often = (often - block["frequency"].mean()) / max(float(block["frequency"].std()), 1e-9)
    if not block["averages"].size:
        hot = np.zeros((len(codes), block["width"]), np.float32)
        hot[np.arange(len(codes)), np.minimum(codes, block["width"] - 1)] = 1
        return np.column_stack([hot, often]).astype(np.float32)
    held = np.clip((block["averages"][codes] - block["mean"]) / block["std"], -10, 10)
    return np.column_stack([held, often]).astype(np.float32)


def _times(block: Learned, seconds: Any) -> Any:
    """Take times apart; a missing one is any. Shape: (N,) -> (N, parts). Units: seconds since 1970."""
    missing = np.isnan(seconds)
    micros = np.rint(np.where(missing, 0, seconds) * 1e6).astype(np.int64)
    stamps = micros.astype("datetime64[us]")
    days = np.where(missing, block["mean"], micros / 86_400e6)
    month = np.where(missing, 0, stamps.astype("datetime64[M]").astype(np.int64) % 12 / 12)
    weekday = np.where(
        missing, 0, (stamps.astype("datetime64[D]").astype(np.int64) + 3) % 7 / 7
    )  # 1970 began on a Thursday
    year = np.where(missing, 0, stamps.astype("datetime64[Y]").astype(np.int64) + 1970 - block["year"])
    parts = [np.clip((days - block["mean"]) / block["std"], -10, 10)]
    if block["years"]:
        parts.append(np.clip(year, -50, 50))
    for turn in (month, weekday, *([days % 1] if block["hours"] else [])):
        parts += [np.round(turned(2 * np.pi * turn), TURN_DIGITS) for turned in (np.sin, np.cos)]
    return np.column_stack([*parts, missing] if block["flag"] else parts).astype(np.float32)
