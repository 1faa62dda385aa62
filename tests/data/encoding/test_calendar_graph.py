import numpy as np
import pandas as pd
import pytest

from kd_core.data.types.base import ColumnType
from kd_core.data.views import VIEWS
from kd_core.export.raw_session import open_front


def times(first, last, step):
    days = np.arange(np.datetime64(first), np.datetime64(last), step).astype("datetime64[us]")
    return days + (np.arange(len(days)) * 977_000_001 % 86_400_000_000).astype("timedelta64[us]")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["table", "columns"])
def test_graph_and_engine_take_every_day_apart_alike(kind):
    view = VIEWS.get(kind).make({name: ColumnType("datetime") for name in ("when", "paid")}, "regression", 0)
    learned = times("1990-01-01", "2010-01-01", 40).copy()
    learned[3] = np.datetime64("NaT")
    view.fit(pd.DataFrame({"when": learned, "paid": learned[::-1]}), np.arange(len(learned)) * 1.0, None)
    stamps = np.concatenate([times("1890-01-01", "2110-01-01", 1), times("0001-01-01", "9999-12-31", 61), learned[:9]])
    frame = pd.DataFrame({"when": stamps, "paid": stamps[::-1]})
    wanted, (found, _) = view.encode(frame), open_front(view).run(frame)
    assert len(frame) > 140_000 and wanted.shape[1] == 2 * (8 + (kind == "table"))
    assert np.isnan(wanted).any() == (kind == "columns")
    hours = np.array(["hour" in name for name in view.feature_names])
    assert np.array_equal(found[:, ~hours], wanted[:, ~hours], equal_nan=True)
    # Microseconds enter as seconds: one in ten thousand hours is rounded to the other side in its sixth digit.
    assert np.allclose(found[:, hours], wanted[:, hours], rtol=0, atol=1.1e-6, equal_nan=True)
    assert (found[:, hours] == wanted[:, hours]).mean() > (0.97 if kind == "columns" else 0.999)
