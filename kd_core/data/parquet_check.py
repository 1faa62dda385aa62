"""Inside the limited child process: a Parquet file read once in batches, so that what explodes or crashes does so there."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kd_core import limits
from kd_core.data.caps import check_counts, nested_column
from kd_core.errors import DataError, raise_problems

BATCH_ROWS = 65_536  # read at once


def measure(path: str, name: str) -> dict[str, Any]:
    """Check metadata first, then read everything batch by batch and say how many bytes it takes.

    Errors: DataError with code `incomplete`, `nested_column`, `unpacks_too_large` or a cap's code.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            check_counts(name, file.metadata.num_rows, len(schema))
            raise_problems([nested_column(field) for field in schema if pa.types.is_nested(field.type)])
            size = 0
            for batch in file.iter_batches(BATCH_ROWS, use_threads=False):  # a bomb is noticed before it has exploded
                size += batch.nbytes
                if size > limits.ZIP_TOTAL_BYTES:
                    break
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            "{name} is incomplete or damaged ({reason}).", "Upload it again.", "incomplete",
            name=name, reason=str(error).split("\n")[0][:200],
        ) from None  # fmt: skip
    if size > limits.ZIP_TOTAL_BYTES:
        raise DataError(
            "{name} unpacks to more than {limit:,} MB, the most that is read.", "Take a sample of the rows.",
            "unpacks_too_large", name=name, total=size // 2**20, limit=limits.ZIP_TOTAL_BYTES // 2**20,
        )  # fmt: skip
    return {"size_bytes": size}
