"""Any supported file becomes a table, and the caps on time and memory hold on real files."""

import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from kd_core.data import readers
from kd_core.data.files.reading import accepted_extensions, read_table
from kd_core.errors import DataError
from kd_core.specs import ReadSpec


def found(table, code):
    return next(p for p in table.problems if p.code == code)


def test_extensions_cover_every_reader():
    assert {".csv", ".tsv", ".txt", ".parquet", ".xlsx", ".jsonl", ".zip", ".gz"} <= set(accepted_extensions())
    assert set(readers.READERS.names()) >= {"csv", "excel", "jsonl", "parquet", "zip"}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"There is no file '.*gone.csv'. Check the path."):
        read_table(tmp_path / "gone.csv")


@pytest.mark.parametrize("name", ["t.csv.gz", "original", "t.csv"])
def test_gzip_is_found_by_content(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"a;b\n1;2\n"))
    table = read_table(path)
    assert table.understood == {"separator": "semicolon", "encoding": "UTF-8", "compression": "gzip"}
    assert table.size_bytes == path.stat().st_size


@pytest.mark.slow
def test_the_name_plays_no_part_when_the_content_is_clear(tmp_path):
    path = tmp_path / "original"
    pd.DataFrame({"a": [1, 2]}).to_parquet(path)
    assert read_table(path).format == "parquet"
    assert read_table(path, name="visits").problems == ()
    assert (
        "this is a Parquet file, not delimited text"
        in found(read_table(path, name="visits.csv"), "content_differs").message
    )


MILLION = """
import resource, sys
from kd_core.data.files.reading import read_table
table = read_table(sys.argv[1])
print(len(table.frame), table.frame.shape[1], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_a_million_rows_stay_within_memory(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "million.csv"
    block = pd.DataFrame({f"c{i}": rng.normal(size=100_000).round(6) for i in range(20)})
    with path.open("w") as out:
        for i in range(10):
            block.to_csv(out, index=False, header=i == 0)
    done = subprocess.run([sys.executable, "-c", MILLION, str(path)], capture_output=True, text=True, check=True)
    rows, columns, peak_mb = (float(v) for v in done.stdout.split())
    assert (rows, columns) == (1_000_000, 20)
    assert peak_mb < 1200


@pytest.mark.data
def test_a_shop_table(real_data):
    table = read_table(real_data("online_shoppers/online_shoppers_intention.csv"))
    assert table.frame.shape == (12_330, 18) and table.problems == ()
    assert table.frame["Revenue"].value_counts().to_dict() == {"FALSE": 10_422, "TRUE": 1_908}


@pytest.mark.data
def test_a_csv_named_txt(real_data):
    table = read_table(real_data("delivery_time/deliverytime.txt"))
    assert table.frame.shape == (45_593, 11) and table.problems == ()
    assert table.frame["Type_of_order"][0] == "Snack "


@pytest.mark.data
def test_a_zip_of_two_tables_and_a_readme(real_data):
    path = real_data("bike_sharing/Bike-Sharing-Dataset.zip")
    table = read_table(path)
    assert table.frame.shape == (17_379, 17) and table.members == ("day.csv", "hour.csv")
    assert found(table, "several_tables").severity == "warning"
    assert found(table, "skipped_members").count == 1
    assert read_table(path, ReadSpec(member="day.csv")).frame.shape == (731, 16)


@pytest.mark.data
@pytest.mark.slow
def test_305_files_are_one_table(real_data):
    table = read_table(real_data("online_retail/online_retail_by_day.zip"))
    assert table.frame.shape == (541_909, 8) and table.understood["files"] == "305 files"
    assert (table.frame["CustomerID"] == "").mean() == pytest.approx(0.249, abs=0.001)


@pytest.mark.data
def test_line_breaks_in_quotes_and_an_index_column(real_data):
    folder = real_data("womens_clothing_reviews")
    table = read_table(next(folder.glob("*.zip")))
    assert table.frame.shape == (23_486, 11)
    assert table.frame["Review Text"].str.contains("\n").sum() == 2_024
    assert found(table, "index_column").column == table.frame.columns[0]
    assert found(table, "skipped_members").count == 1


@pytest.mark.data
def test_chinese_reviews(real_data):
    table = read_table(real_data("online_shopping_10_cats/online_shopping_10_cats.zip"))
    assert table.frame.shape == (62_774, 3) and table.frame["cat"].nunique() == 10
    assert (table.frame["cat"] == "热水器").sum() == 575
    assert table.frame["review"].str.contains("\ufeff").sum() == 20
