from datetime import datetime

import numpy as np
import pytest

from kd_core.data.types import dates


@pytest.mark.parametrize(
    ("texts", "form", "first"),
    [
        (["2024-01-31", "2024-02-01"], "%Y-%m-%d", "2024-01-31"),
        (["2010-12-01 08:26:00"], "%Y-%m-%d %H:%M:%S", "2010-12-01T08:26"),
        (["2024-01-31T10:20:30"], "%Y-%m-%dT%H:%M:%S", "2024-01-31T10:20:30"),
        (["31/01/2024", "02/01/2024"], "%d/%m/%Y", "2024-01-31"),
        (["01/31/2024", "01/02/2024"], "%m/%d/%Y", "2024-01-31"),
        (["31.01.2024"], "%d.%m.%Y", "2024-01-31"),
        (["31 Jan 2024"], "%d %b %Y", "2024-01-31"),
        (["2024年1月31日"], "%Y年%m月%d日", "2024-01-31"),
    ],
)
def test_finds_common_formats(texts, form, first):
    assert dates.find_format(texts) == (form, False)
    assert dates.read_dates(texts, form)[0] == np.datetime64(first)


def test_iso_with_a_zone_becomes_utc():
    form, _ = dates.find_format(["2024-01-31T10:00:00+02:00", "2024-01-31T10:00:00Z"])
    assert form == dates.ISO
    assert dates.read_dates(["2024-01-31T10:00:00+02:00"], form)[0] == np.datetime64("2024-01-31T08:00")


def test_says_when_day_and_month_could_be_swapped():
    assert dates.find_format(["03/04/2024", "05/06/2024"]) == ("%d/%m/%Y", True)


@pytest.mark.parametrize("texts", [[], ["12.5", "13.1"], ["hello"], ["2024-13-45"], ["1.2.3"], ["192.168.0.1"]])
def test_other_texts_are_no_dates(texts):
    assert dates.find_format(texts) is None


def test_coerce_keeps_what_fits_and_empties_the_rest():
    found = dates.coerce_dates(["2024-01-31", "soon"], "%Y-%m-%d")
    assert found[0] == np.datetime64("2024-01-31")
    assert np.isnat(found[1])
    assert dates.coerce_dates(["86400"], dates.UNIX_SECONDS)[0] == np.datetime64("1970-01-02")


@pytest.mark.parametrize("form", [dates.ISO, dates.UNIX_SECONDS, *(d + t for t in dates._TIME for d in dates._DATE)])
@pytest.mark.parametrize("when", [datetime(2024, 3, 9), datetime(1999, 12, 31, 23, 59), datetime(1970, 1, 1, 12, 0, 7)])
def test_a_written_time_is_read_as_the_same(form, when):
    text = dates.write_date(when, form)
    (back,) = dates.coerce_dates([text], form)
    told = when if form in (dates.ISO, dates.UNIX_SECONDS) or "%S" in form else when.replace(second=0)
    whole = (
        told if form in (dates.ISO, dates.UNIX_SECONDS) or "%M" in form else datetime(told.year, told.month, told.day)
    )
    assert back == np.datetime64(whole)
