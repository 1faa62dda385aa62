"""The rows of a finished run, prepared once more as the run had them, and only where somebody asks."""

from __future__ import annotations

import functools

from kd_core.data.dataset import Dataset
from kd_core.data.preparation import prepare
from kd_core.errors import DataError
from kd_core.runs.continuing.going import Going
from kd_core.runs.store.folder import RunFolder
from kd_core.teachers.base import without_own_columns


class RunData:
    """Errors of both: DataError, and as `Going`, where a file is gone; DataError `rows_other` where it is another one."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder, self.spec = folder, folder.spec()

    @functools.cached_property
    def dataset(self) -> Dataset:
        """Return what its students learned from and were judged by."""
        own = without_own_columns(self.spec.dataset, self.spec.teacher)
        found = self._going.dataset if self.spec.continues else prepare(own)
        result = self.folder.result() or {}
        if found.hash != result.get("dataset", {}).get("hash"):  # other rows might be those that were tested
            raise DataError(
                "The run's rows are read otherwise now than when it was made: the file has changed, or another version of the app made the run.",
                "Put the file back as it was, or run it again.",
                "rows_other",
            )
        return found

    @property
    def taught(self) -> Dataset:
        """Return what its teacher learned from: of a run that went on the rows of the first one."""
        found = self.dataset
        return self._going.rows.old if self.spec.continues else found

    @functools.cached_property
    def _going(self) -> Going:
        return Going(self.spec)
