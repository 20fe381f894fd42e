"""What the server offers besides uploads: folders, databases, and what may not be asked of them."""

from __future__ import annotations

import getpass
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.data import Roles, to_panel
from components.data.sources import (
    SourceQuery,
    read_source,
    source_columns,
)
from source_lists import SALES, offer, refusal

duckdb = pytest.importorskip(
    "duckdb", reason="duckdb is not installed: see requirements-sources.txt"
)

DAYS = 60
UNITS = ("001", "1", "NA", "Ærø", 'a "b" c')


def rows(seed: int = 0, count: int = 4000) -> pd.DataFrame:
    """Give sales by shop and hour; amounts of very different sizes."""
    rng = np.random.default_rng(seed)
    shop = rng.integers(0, len(UNITS), count)
    hour = pd.Timestamp("2019-12-28") + pd.to_timedelta(rng.integers(0, 24 * DAYS, count), "h")
    amount = np.round(np.exp(rng.normal(0, 4, count)), 4)
    amount[rng.random(count) < 0.02] = np.nan
    frame = pd.DataFrame({"shop": np.array(UNITS)[shop], "hour": hour, "amount": amount})
    frame["items"] = rng.integers(0, 50, count)
    frame["treated"] = ((shop == 2) & (hour >= "2020-02-01")).astype(int)
    return frame


def by_hand(frame: pd.DataFrame, freq: str, how: str, column: str = "amount") -> pd.Series:
    """Sum up without any help: exact fractions of the numbers as they are."""
    known = frame.dropna(subset=[column])
    cells: dict[tuple[str, str], list[Fraction]] = {}
    for shop, hour, value in zip(known["shop"], known["hour"], known[column], strict=True):
        if freq == "week":
            year, week, _ = hour.isocalendar()
            when = f"{year}-W{week:02}"
        else:
            when = hour.strftime({"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[freq])
        cells.setdefault((shop, when), []).append(Fraction(value))
    total = {key: sum(values) for key, values in cells.items()}
    made = {
        "sum": lambda key: float(total[key]),
        "mean": lambda key: float(total[key] / len(cells[key])),
        "count": lambda key: float(len(cells[key])),
    }[how]
    return pd.Series({key: made(key) for key in cells}).sort_index()


def got(table) -> pd.Series:
    text = table.text
    values = text[table.columns[2]].astype("float64")
    index = pd.MultiIndex.from_arrays([text[table.columns[0]], text[table.columns[1]]])
    return pd.Series(values.to_numpy(), index=index).dropna().sort_index()


def same(table, expected: pd.Series, rtol: float = 4e-16) -> None:
    found = got(table)
    assert [*found.index] == [*expected.index]
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=rtol)


# Folders.


def write_folder(folder: Path, frame: pd.DataFrame, parts: int, kind: str) -> None:
    folder.mkdir()
    for number, part in enumerate(np.array_split(np.arange(len(frame)), parts)):
        place = folder / f"deep {number % 2}" / f"part-{number}.{kind}"
        place.parent.mkdir(exist_ok=True)
        if kind == "parquet":
            frame.iloc[part].to_parquet(place, index=False)
        else:
            frame.iloc[part].to_csv(place, index=False, na_rep="NA")
    (folder / "_SUCCESS").write_text("")
    (folder / ".hidden.parquet").write_text("no table")


@pytest.fixture(scope="module", params=["parquet", "csv"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("offered")
    write_folder(place / "sales", rows(), 5, request.param)
    return place


@pytest.fixture
def sales(folder, monkeypatch):
    offer(monkeypatch, folder, sales={"kind": "folder", "title": "Sales", "path": "sales"})


@pytest.mark.parametrize("how", ["sum", "mean", "count"])
@pytest.mark.parametrize("freq", ["day", "week", "month", "year"])
def test_a_folder_is_summed_up_exactly(sales, how, freq):
    table = read_source(SourceQuery(**SALES, aggregate=how, truncation=freq))
    found = got(table)
    same(
        table,
        by_hand(rows(), freq, how).reindex(found.index)
        if how == "count"
        else by_hand(rows(), freq, how),
    )
    assert table.columns == ("shop", "hour", "amount")
    assert table.name == "Sales"


def test_columns_are_told_with_their_kinds(sales):
    kinds = {column.name: column.kind for column in source_columns("sales")}
    assert kinds == {
        "shop": "text", "hour": "time", "amount": kinds["amount"], "items": "number",
        "treated": "number",
    }  # fmt: skip
    assert kinds["amount"] in ("number", "text")  # "NA" in a CSV is text until it is read


def test_all_that_happened_is_in_the_ledger(sales):
    query = SourceQuery(**SALES, treatment="treated", truncation="month")
    table = read_source(query)
    missing = int(rows()["amount"].isna().sum())
    sentences = " ".join(table.notes)
    assert "4,000 rows summed up to 15 cells" in sentences
    assert f"{missing} rows without an outcome" in sentences
    panel, ledger = to_panel(
        table, Roles("shop", "hour", "amount", "treated", reading=table.reading)
    )
    assert panel.shape == (5, 3)
    assert [*panel.units] == sorted(UNITS)
    assert panel.W.sum() == 1
    assert any("summed up" in entry.sentence for entry in ledger)


def test_treatment_that_changes_within_a_cell_is_refused(sales):
    query = SourceQuery(**SALES, treatment="treated", truncation="year")
    error = refusal(read_source, query)
    assert "1 cell" in error.message
    assert "'NA', 2020" in error.message


def test_rows_can_be_counted_without_an_outcome(sales):
    table = read_source(SourceQuery("sales", "shop", "hour", aggregate="count", truncation="year"))
    assert table.columns == ("shop", "hour", "count")
    assert table.text["count"].astype(int).sum() == 4000


def test_rows_as_they_are_come_in_a_fixed_order(sales):
    table = read_source(SourceQuery(**SALES, aggregate=None))
    assert len(table.text) == 4000
    expected = sorted(zip(rows()["shop"], rows()["hour"], strict=True))
    assert [*table.text["shop"]] == [shop for shop, _ in expected]


def test_the_digest_names_the_content_and_the_question(monkeypatch, tmp_path):
    frame = rows()
    query = SourceQuery(**SALES, truncation="day")
    digests = {}
    shuffled = frame.sample(frac=1, random_state=1)
    other = frame.copy()
    place = int(np.flatnonzero(other["amount"].notna())[7])
    other.loc[place, "amount"] = np.nextafter(other.loc[place, "amount"], np.inf)
    for name, content, parts in (("a", frame, 1), ("b", shuffled, 9), ("c", other, 1)):
        (tmp_path / name).mkdir()
        write_folder(tmp_path / name / "sales", content, parts, "parquet")
        offer(monkeypatch, tmp_path / name, sales={"kind": "folder", "path": "sales"})
        digests[name] = {read_source(query).digest for _ in range(2)}
    assert digests["a"] == digests["b"]
    assert len(digests["a"]) == 1
    by_month = read_source(SourceQuery(**SALES, truncation="month")).digest
    assert by_month not in digests["c"]
    raw = read_source(SourceQuery(**SALES, aggregate=None)).digest
    offer(monkeypatch, tmp_path / "a", sales={"kind": "folder", "path": "sales"})
    assert raw != read_source(SourceQuery(**SALES, aggregate=None)).digest


def one_file(monkeypatch, tmp_path: Path, frame, **more: object) -> None:
    if isinstance(frame, bytes):
        (tmp_path / "one.csv").write_bytes(frame)
        path = "one.csv"
    else:
        pq.write_table(
            frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame),
            tmp_path / "one.parquet",
        )
        path = "one.parquet"
    offer(monkeypatch, tmp_path, one={"kind": "folder", "path": path, **more})


ONE = {"source": "one", "unit": "u", "time": "t", "outcome": "y"}


def test_sums_of_very_different_numbers_are_those_of_exact_arithmetic(monkeypatch, tmp_path):
    values = [1e15, 0.1, -1e15, 1e-12, 3e14 + 0.5, -3e14] * 30 + [7.25]
    table = pa.table({"u": ["a"] * 181, "t": [2000] * 181, "y": values})
    one_file(monkeypatch, tmp_path, table)
    found = float(read_source(SourceQuery(**ONE)).text["y"][0])
    assert found == pytest.approx(float(sum(map(Fraction, values))), rel=1e-15)
    assert abs(sum(values) - found) > 1e-9


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1.0, 1e30, 1e300])
def test_sums_keep_their_precision_at_any_scale(monkeypatch, tmp_path, scale):
    values = np.random.default_rng(3).normal(size=500) * scale
    one_file(monkeypatch, tmp_path, pa.table({"u": ["a"] * 500, "t": [2000] * 500, "y": values}))
    found = float(read_source(SourceQuery(**ONE)).text["y"][0])
    assert found == pytest.approx(float(sum(map(Fraction, values.tolist()))), rel=1e-15)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, 2, None], pa.int64()), "3"),
        (pa.array([2**62, 2**62, 2**62], pa.int64()), str(3 * 2**62)),
        (pa.array([Decimal("0.10"), Decimal("0.20"), None]), "0.30"),
        (pa.array([True, True, None]), "2"),
        (pa.array([0.1, 0.2, float("nan")], pa.float32()), None),
        (pa.array([None, None, None], pa.float64()), ""),
    ],
)
def test_numbers_of_every_type_are_summed_up(monkeypatch, tmp_path, values, expected):
    one_file(monkeypatch, tmp_path, pa.table({"u": ["a", "a", "a"], "t": [1, 1, 1], "y": values}))
    cell = read_source(SourceQuery(**ONE)).text["y"][0]
    if expected is None:
        assert float(cell) == pytest.approx(
            float(np.float32(0.1)) + float(np.float32(0.2)), rel=1e-15
        )
    else:
        assert ("" if pd.isna(cell) else cell) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b", "NA", None], "2"),
        ([1.0, float("nan"), float("inf"), None], "2"),
        ([1, 2, 3, None], "3"),
    ],
)
def test_what_is_there_is_counted(monkeypatch, tmp_path, values, expected):
    table = pa.table({"u": ["a"] * 4, "t": [1] * 4, "y": pa.array(values)})
    one_file(monkeypatch, tmp_path, table)
    assert read_source(SourceQuery(**ONE, aggregate="count")).text["y"][0] == expected


def test_blank_units_and_times_are_left_out_and_said(monkeypatch, tmp_path):
    one_file(monkeypatch, tmp_path, b"u,t,y\na,1,1\n,1,2\na,,3\nb,1,4\nb,2,\n")
    table = read_source(SourceQuery(**ONE))
    assert got(table).to_dict() == {("a", "1"): 1.0, ("b", "1"): 4.0}
    assert any("2 rows without a unit or a time left out" in note for note in table.notes)
    assert any("1 row without an outcome" in note for note in table.notes)


@pytest.mark.parametrize(
    ("data", "changes", "what"),
    [
        (b"u,t,y\na,1,1\na,2,many\n", {}, "'many'"),
        (b"u,t,y\na,1,1\na,2,inf\n", {}, "infinite"),
        (b"u,t,y\na,2020-01-01,1\na,soon,2\n", {"truncation": "day"}, "'soon'"),
        (b"u,t,y\na,1,1\na,2\n", {}, "cannot be read"),
        (b"u,t,y\na,1,1\n", {"unit": "v"}, "There is no column 'v'"),
        (b"u,t,y\na,1,1\n", {"unit": 'u" FROM x; --'}, "There is no column"),
        (b"u,t,y\na,1,1\na,2,1\nb,1,1\nb,2,1\n", {}, "more than 3 rows"),
        (b"u,t,y\n", {}, "no rows"),
    ],
)
def test_what_cannot_be_summed_up_is_refused(monkeypatch, tmp_path, data, changes, what):
    one_file(monkeypatch, tmp_path, data, rows=3)
    assert what in refusal(read_source, SourceQuery(**{**ONE, **changes})).message


def test_a_number_is_no_date(monkeypatch, tmp_path):
    one_file(monkeypatch, tmp_path, pa.table({"u": ["a"], "t": [20200101], "y": [1.0]}))
    error = refusal(read_source, SourceQuery(**ONE, truncation="month"))
    assert "holds no dates" in error.message


def test_times_with_a_zone_are_those_of_utc(monkeypatch, tmp_path):
    when = pd.to_datetime(["2020-01-01 00:30", "2020-01-01 23:30"]).tz_localize("Europe/Berlin")
    one_file(monkeypatch, tmp_path, pd.DataFrame({"u": ["a", "a"], "t": when, "y": [1.0, 2.0]}))
    table = read_source(SourceQuery(**ONE, truncation="day"))
    assert [*table.text["t"]] == ["2019-12-31", "2020-01-01"]
    assert any("UTC" in note for note in table.notes)


def test_names_that_are_code_are_names(monkeypatch, tmp_path):
    names = ['u"; DROP TABLE x; --', "t' OR 1=1", "y)} $1 ? %s"]
    cells = [["a", "a"], [1, 1], [1.5, 2.5]]
    one_file(monkeypatch, tmp_path, pa.table(dict(zip(names, cells, strict=True))))
    table = read_source(SourceQuery("one", *names))
    assert table.columns == tuple(names)
    assert [*table.text[names[2]]] == ["4"]


def test_a_link_out_of_the_folder_is_refused(monkeypatch, tmp_path):
    (tmp_path / "sales").mkdir()
    rows().to_parquet(tmp_path / "secret.parquet")
    (tmp_path / "sales" / "a.parquet").symlink_to(tmp_path / "secret.parquet")
    offer(monkeypatch, tmp_path, sales={"kind": "folder", "path": "sales"})
    assert "leads out" in refusal(source_columns, "sales").message


def test_files_with_other_columns_are_refused(monkeypatch, tmp_path):
    (tmp_path / "sales").mkdir()
    rows().to_parquet(tmp_path / "sales" / "a.parquet")
    rows().rename(columns={"amount": "sum"}).to_parquet(tmp_path / "sales" / "b.parquet")
    offer(monkeypatch, tmp_path, sales={"kind": "folder", "path": "sales"})
    error = refusal(read_source, SourceQuery(**SALES))
    assert "cannot be read" in error.message
    assert str(tmp_path) not in error.message + error.hint


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('{outside}')",
        "SELECT * FROM '{outside}'",
        "COPY (SELECT 1) TO '{outside}.copy'",
        "ATTACH '{outside}.db'",
        "INSTALL httpfs",
        "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
        "SET enable_external_access=true",
        "SET memory_limit='64GB'",
        "SELECT * FROM glob('/etc/*')",
    ],
)
def test_the_engine_reaches_nothing_but_the_source(monkeypatch, tmp_path, sql):
    from components.data.sources_config import read_config
    from components.data.sources_duckdb_open import opened

    one_file(monkeypatch, tmp_path, b"u,t,y\na,1,1\n")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text("secret\n1\n")
    source = read_config(tmp_path / "sources.toml")["one"]
    (tmp_path / "temporary").mkdir()
    opened = opened(source, str(tmp_path / "temporary"))
    with opened as (database, _), pytest.raises(duckdb.Error):
        database.execute(sql.format(outside=outside)).fetchall()
    assert not Path(f"{outside}.copy").exists()


def test_reading_tells_how_far_it_is_and_can_be_cancelled(monkeypatch, tmp_path):
    big = tmp_path / "one.parquet"
    database = duckdb.connect()
    database.execute(
        "COPY (SELECT 'u' || (i % 2000)::VARCHAR AS u, (i // 2000) % 365 AS t, "
        f"random() AS y FROM range(6000000) r(i)) TO '{big}' (FORMAT parquet)"
    )
    database.close()
    spare = tmp_path / "spare"
    spare.mkdir()
    (spare / "panelscope-source-999999999-left").mkdir()
    offer(
        monkeypatch,
        tmp_path,
        one={"kind": "folder", "path": "one.parquet", "temporary": str(spare), "memory_mb": 200},
    )
    seen: list[float] = []
    table = read_source(SourceQuery(**ONE), seen.append)
    assert len(table.text) == 2000 * 365
    assert sorted(seen) == seen
    assert max(seen) > 0.2
    assert not list(spare.iterdir())

    class LeaveError(Exception):
        pass

    def leave(share: float) -> None:
        if share > 0.05:
            raise LeaveError

    begun = time.monotonic()
    with pytest.raises(LeaveError):
        read_source(SourceQuery(**ONE), leave)
    assert time.monotonic() - begun < 20
    assert not list(spare.iterdir())


def test_too_little_time_is_said(monkeypatch, tmp_path):
    one_file(monkeypatch, tmp_path, b"u,t,y\n" + b"a,1,1\n" * 3_000_000, seconds=0.3)
    assert "longer than" in refusal(read_source, SourceQuery(**ONE)).message


# Databases.

SQL = {"kind": "sql", "table": "sales"}


@pytest.fixture
def lite(monkeypatch, tmp_path):
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    frame = rows()
    frame["hour"] = frame["hour"].astype(str)
    with sqlite3.connect(tmp_path / "sales.db") as connection:
        frame.to_sql("sales", connection, index=False)
    connection.close()
    url = f"sqlite:///{tmp_path}/sales.db"
    offer(
        monkeypatch,
        tmp_path,
        sales={**SQL, "url": url},
        some={"kind": "sql", "url": url, "select": "SELECT * FROM sales WHERE shop LIKE '%1';"},
        evil={"kind": "sql", "url": url, "select": "DELETE FROM sales RETURNING *"},
        few={**SQL, "url": url, "rows": 10},
    )
    return tmp_path


@pytest.fixture
def duck(monkeypatch, tmp_path):
    database = duckdb.connect(str(tmp_path / "sales.duckdb"))
    frame = pa.Table.from_pandas(rows())
    database.register("frame", frame)
    database.execute("CREATE TABLE sales AS SELECT * FROM frame")
    database.close()
    url = f"duckdb:///{tmp_path}/sales.duckdb"
    offer(
        monkeypatch,
        tmp_path,
        sales={**SQL, "url": url},
        some={"kind": "sql", "url": url, "select": "SELECT * FROM sales WHERE shop LIKE '%1';"},
        evil={"kind": "sql", "url": url, "select": "SELECT * FROM read_text('/etc/passwd')"},
        few={**SQL, "url": url, "rows": 10},
    )
    return tmp_path


BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Run a throw-away PostgreSQL server on the loopback, with the sales in it."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    binaries, place = BINARIES[-1].parent, Path(tempfile.mkdtemp(prefix="pg-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    prefix = []
    if getpass.getuser() == "root":
        shutil.chown(place, "postgres", "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    data = str(place / "data")

    def run(program: str, *words: str) -> None:
        command = [*prefix, str(binaries / program), "-D", data, *words]
        subprocess.run(command, check=True, cwd=place, stdout=subprocess.DEVNULL)

    run("initdb", "-A", "trust", "-U", "tester", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {place} -F"
    run("pg_ctl", "-o", options, "-w", "-l", str(place / "log"), "start")
    url = f"postgresql://tester@127.0.0.1:{port}/postgres"
    try:
        with psycopg.connect(url) as connection:
            connection.execute('CREATE SCHEMA "My shop"')
            connection.execute(
                'CREATE TABLE "My shop".sales (shop text, hour timestamp, amount double precision, '
                "items integer, treated boolean)"
            )
            with connection.cursor().copy('COPY "My shop".sales FROM STDIN') as copy:
                for row in rows().itertuples(index=False):
                    copy.write_row(
                        (
                            row.shop,
                            row.hour.to_pydatetime(),
                            row.amount,
                            row.items,
                            bool(row.treated),
                        )
                    )
        yield url
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def postgres(cluster, monkeypatch, tmp_path):
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    monkeypatch.setenv("SALES_URL", cluster)
    here = {"kind": "sql", "url_variable": "SALES_URL"}
    offer(
        monkeypatch,
        tmp_path,
        sales={**here, "table": "My shop.sales"},
        some={**here, "select": "SELECT * FROM \"My shop\".sales WHERE shop LIKE '%1';"},
        evil={**here, "select": 'DELETE FROM "My shop".sales RETURNING *'},
        few={**here, "table": "My shop.sales", "rows": 10},
    )
    return tmp_path


@pytest.fixture(params=["lite", "duck", "postgres"])
def database(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("how", ["sum", "mean", "count"])
@pytest.mark.parametrize("freq", ["day", "week", "month", "year"])
def test_a_database_is_summed_up_exactly(database, how, freq):
    table = read_source(SourceQuery(**SALES, aggregate=how, truncation=freq))
    same(table, by_hand(rows(), freq, how), rtol=1e-14)


def test_a_database_tells_its_columns(database):
    kinds = {column.name: column.kind for column in source_columns("sales")}
    assert list(kinds) == ["shop", "hour", "amount", "items", "treated"]
    assert (kinds["shop"], kinds["amount"], kinds["items"]) == ("text", "number", "number")
    assert kinds["treated"] in ("number", "flag")


def test_a_query_of_the_server_is_read(database):
    table = read_source(SourceQuery("some", "shop", "hour", "items", truncation="quarter"))
    assert {*table.text["shop"]} == {"001", "1"}
    assert {*table.text["hour"]} == {"2019Q4", "2020Q1"}
    expected = rows()[rows()["shop"].isin(["001", "1"])]["items"].sum()
    assert table.text["items"].astype(int).sum() == expected


def test_nothing_is_written_and_nothing_else_read(database):
    error = refusal(read_source, SourceQuery("evil", "shop", "hour", "items"))
    assert "root:" not in error.message
    table = read_source(SourceQuery("sales", "shop", "hour", aggregate="count", truncation="year"))
    assert table.text["count"].astype(int).sum() == 4000


def test_treatment_of_a_database_is_kept(database):
    table = read_source(SourceQuery(**SALES, treatment="treated", truncation="month"))
    panel, _ = to_panel(table, Roles("shop", "hour", "amount", "treated", reading=table.reading))
    assert panel.W.sum() == 1
    assert refusal(
        read_source, SourceQuery(**SALES, treatment="treated", truncation="year")
    ).message.startswith("1 cell")


def test_rows_of_a_database_as_they_are(database):
    table = read_source(SourceQuery(**SALES, aggregate=None))
    assert len(table.text) == 4000
    assert table.text["amount"].isna().sum() == rows()["amount"].isna().sum()
    assert table.digest == read_source(SourceQuery(**SALES, aggregate=None)).digest


def test_too_many_rows_of_a_database_are_refused(database):
    query = SourceQuery("few", "shop", "hour", "amount", aggregate=None)
    assert "more than 10 rows" in refusal(read_source, query).message


def test_a_slow_query_is_stopped_by_the_database_too(cluster, monkeypatch, tmp_path):
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    psycopg = pytest.importorskip("psycopg")
    slow = "SELECT 'a' AS u, 1 AS t, 1 AS y FROM pg_sleep(60)"
    offer(monkeypatch, tmp_path, one={"kind": "sql", "url": cluster, "select": slow, "seconds": 2})
    begun = time.monotonic()
    assert "longer than" in refusal(read_source, SourceQuery(**ONE)).message
    assert time.monotonic() - begun < 10
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
        "AND state = 'active' AND pid <> pg_backend_pid()"
    )
    until = time.monotonic() + 10
    with psycopg.connect(cluster, autocommit=True) as connection:
        while connection.execute(asked).fetchone()[0] and time.monotonic() < until:
            time.sleep(0.1)
        assert connection.execute(asked).fetchone()[0] == 0


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sqlite:///nowhere/x.db", "not there"),
        ("duckdb:///nowhere/x.duckdb", "not there"),
        ("mysql://u:canary@127.0.0.1/x", "kind that is not read"),
        ("postgresql://u:canary@127.0.0.1:9/x", "cannot be reached"),
        ("no address, canary", "cannot be reached"),
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_address(monkeypatch, tmp_path, url, what):
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    offer(monkeypatch, tmp_path, one={"kind": "sql", "table": "t", "url": url})
    error = refusal(source_columns, "one")
    assert what in error.message or "needs the package" in error.message
    assert "canary" not in error.message + error.hint


def test_text_among_numbers_is_not_taken_for_zero(monkeypatch, tmp_path):
    pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (u, t, y)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?)", [("a", "2020-01-01", 1), ("a", "x", "?")]
        )
    connection.close()
    url = f"sqlite:///{tmp_path}/a.db"
    offer(monkeypatch, tmp_path, one={"kind": "sql", "table": "t", "url": url})
    assert "no number, such as '?'" in refusal(read_source, SourceQuery(**ONE)).message
    query = SourceQuery(**{**ONE, "aggregate": "count", "truncation": "day"})
    assert "no date such as 2020-01-31, such as 'x'" in refusal(read_source, query).message
