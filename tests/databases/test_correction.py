"""Rows downloaded, corrected and uploaded again: only those change, wholly or not at all."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import Client
from django.utils import translation

from accounts.models import Activity, User
from assignments.services import corrections as applying
from databases.models import (
    Database,
    DatabaseStat,
    Import,
    Pool,
    Record,
    RepairedRow,
    SkippedRow,
)
from databases.services.correction_lines import as_before
from tests.concurrency.racing import broken_rules
from tests.databases.helpers import HEADER
from tests.databases.test_import import confirmed, uploaded, url

Work = Callable[[], None]
pytestmark = pytest.mark.django_db(transaction=True)

# Ready: 2, 3. Attention: 4 (bad number), 5 (none). Duplicate of 2: 6. Blank: 7.
ROWS = "\n".join(
    [
        HEADER,
        "budi01;Budi Santoso;0812-3456-7801;Bekasi;0012345",
        "sari02;Sari Dewi;+62 812 3456 7802;Depok;0012346",
        "agus03;=1+1;123;'08 Medan;0012347",
        "dewi04;'Dewi;;+62 Solo;0012348",
        "budi09;Budi Lagi;62 81234567801;Bekasi;0012349",
        ";;;;",
        "",
    ]
).encode()


@pytest.fixture
def original(as_citra: Client, work: Work) -> Import:
    source = confirmed(as_citra, uploaded(as_citra, work, content=ROWS))
    work()
    source.refresh_from_db()
    assert (source.ready, source.attention, source.duplicate, source.blank) == (2, 2, 1, 1)
    return source


def download(client: Client, source: Import) -> list[list[str]]:
    answer = client.get(f"/manage/databases/imports/{source.pk}/not-ready.csv")
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(content)))


def as_csv(rows: list[list[str]], *, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(rows: list[list[str]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                # As a spreadsheet program does it: what looks like a number becomes one.
                if cell.isdigit():
                    sheet.write_number(i, j, int(cell))
                else:
                    sheet.write_string(i, j, cell)
    return content.getvalue()


def send(
    client: Client, source: Import, content: bytes, *, name: str = "koreksi.csv", **fields: Any
) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(url(source, "correct"), {"token": uuid.uuid4(), "file": file} | fields)


def checked(client: Client, work: Work, source: Import, content: bytes, **more: Any) -> Import:
    """Upload corrected rows and let them be read."""
    assert send(client, source, content, **more).status_code == 302
    work()
    correction = Import.objects.latest("pk")
    assert correction.corrects_id == source.pk
    return correction


def applied(client: Client, work: Work, correction: Import) -> Import:
    assert client.post(url(correction, "confirm-correction")).status_code == 302
    work()
    correction.refresh_from_db()
    return correction


def lines(correction: Import) -> dict[str, int]:
    found = correction.reading["correction"]["lines"]
    return {name: count for name, count in found.items() if count}


def stored() -> list[tuple[Any, ...]]:
    fields = ("row_number", "cells", "phone", "name", "username_key", "attention")
    return list(Record.objects.order_by("row_number").values_list(*fields))


def adds_up(source: Import) -> bool:
    """Whether rows read, outcomes, records, skipped rows and totals agree."""
    source.refresh_from_db()
    stat, records = DatabaseStat.objects.get(), Record.objects.all()
    return (
        source.read == source.rows_total == records.count() + SkippedRow.objects.count()
        and source.ready == records.filter(attention=None).count() == stat.ready
        and source.attention == records.needing_attention().count() == stat.attention
        and broken_rules() == []
    )


class TestUncorrected:
    @pytest.mark.parametrize("shape", ["csv", "semicolons", "xlsx"])
    def test_what_comes_back_as_it_went_changes_nothing(
        self, as_citra: Client, work: Work, original: Import, shape: str
    ) -> None:
        before, rows = stored(), download(as_citra, original)
        # The cells that a spreadsheet would calculate went out with an apostrophe.
        assert [rows[1][3], rows[1][5], rows[2][3:6]] == [
            "'=1+1",
            "'08 Medan",
            ["'Dewi", "", "'+62 Solo"],
        ]
        content = {
            "csv": as_csv(rows),
            "semicolons": as_csv(rows, delimiter=";"),
            "xlsx": as_xlsx(rows),
        }[shape]
        name = "koreksi.xlsx" if shape == "xlsx" else "koreksi.csv"
        correction = checked(as_citra, work, original, content, name=name)
        assert correction.state == Import.State.WAITING, correction.problem
        assert lines(correction) == {"attention": 2, "duplicate": 1, "blank": 1}
        assert (
            "No row of this file becomes ready"
            in as_citra.get(url(correction, "check")).content.decode()
        )
        applied(as_citra, work, correction)
        assert stored() == before
        assert RepairedRow.objects.count() == 0
        assert adds_up(original)


class TestCorrected:
    def corrected(self, client: Client, original: Import) -> list[list[str]]:
        """Give the download with every row corrected; only the phones (and a blank row)."""
        rows = download(client, original)
        for row, phone in zip(
            rows[1:4], ("081234567811", "081234567812", "081234567813"), strict=True
        ):
            row[4] = phone
        rows[4] = ["7", "Blank row", "baru07", "Baru", "081234567814", "Bogor", "1"]
        return rows

    @pytest.mark.parametrize("shape", ["csv", "xlsx"])
    def test_the_rows_are_ready_and_on_the_shelf(
        self, as_citra: Client, citra: User, work: Work, original: Import, shape: str
    ) -> None:
        rows = self.corrected(as_citra, original)
        content = as_csv(rows) if shape == "csv" else as_xlsx(rows)
        name = f"koreksi.{shape}"
        correction = checked(as_citra, work, original, content, name=name)
        assert lines(correction) == {"ready": 4}
        page = as_citra.get(url(correction, "check")).content.decode()
        assert "4 rows of pelanggan become ready. Nothing is changed yet." in page
        assert Record.objects.needing_attention().count() == 2  # indeed

        applied(as_citra, work, correction)
        assert correction.state == Import.State.DONE
        # A number that was typed into a workbook has no zero in front.
        typed = [row[4].lstrip("0") if shape == "xlsx" else row[4] for row in rows[1:]]
        assert [row[:4] for row in stored()[2:]] == [
            (4, ["agus03", "=1+1", typed[0], "'08 Medan", "0012347"], "6281234567811", "=1+1"),
            (5, ["dewi04", "'Dewi", typed[1], "+62 Solo", "0012348"], "6281234567812", "'Dewi"),
            (
                6,
                ["budi09", "Budi Lagi", typed[2], "Bekasi", "0012349"],
                "6281234567813",
                "Budi Lagi",
            ),
            (7, ["baru07", "Baru", typed[3], "Bogor", "1"], "6281234567814", "Baru"),
        ]
        assert Pool.objects.count() == 6
        assert not SkippedRow.objects.exists()
        assert adds_up(original)
        assert (original.ready, original.repaired, original.not_ready) == (6, 4, 0)
        kept = RepairedRow.objects.order_by("row_number").values_list("row_number", "was", "by")
        assert list(kept) == [
            (4, "invalid_phone", citra.pk),
            (5, "missing_phone", citra.pk),
            (6, "duplicate_phone", citra.pk),
            (7, "blank", citra.pk),
        ]
        assert RepairedRow.objects.get(row_number=4).cells_before[2] == "123"
        assert Activity.objects.filter(kind="import.corrected", actor=citra).count() == 1
        report = as_citra.get(url(correction, "report")).content.decode()
        assert "4 rows of pelanggan are ready now." in report
        assert url(original, "report") in report
        report = as_citra.get(url(original, "report")).content.decode()
        assert "4 of them were repaired since the import." in report

    def test_only_the_rows_of_the_file_change(
        self, as_citra: Client, work: Work, original: Import
    ) -> None:
        rows = self.corrected(as_citra, original)
        extra = [
            ["2", "", "x", "x", "081299999999", "x", "x"],  # ready already
            ["4", "", "x", "x", "081299999998", "x", "x"],  # named twice
            ["99", "", "x", "x", "081299999997", "x", "x"],  # no such row
            ["x", "", "x", "x", "081299999996", "x", "x"],
        ]
        correction = checked(as_citra, work, original, as_csv([*rows[:2], *extra]))
        assert lines(correction) == {"ready": 1, "untouched": 1, "repeated": 1, "unknown": 2}
        page = as_citra.get(url(correction, "check")).content.decode()
        for words in ("Line 5", "Line 6", "Need no attention", "Named twice", "Unknown row"):
            assert words in page
        before = [row for row in stored() if row[0] != 4]
        applied(as_citra, work, correction)
        assert [row for row in stored() if row[0] != 4] == before
        assert Record.objects.get(row_number=4).phone == "6281234567811"
        assert adds_up(original)

    def test_what_is_still_not_ready_stays_exactly_as_it_was(
        self, as_citra: Client, work: Work, original: Import
    ) -> None:
        before, rows = stored(), download(as_citra, original)
        rows[1][3:5] = ["Other name", "0812"]  # still no number
        rows[2][4] = "0812-3456-7801"  # row 2 has it
        rows[3][2] = "other"  # still the customer of row 2
        rows[4][3] = " "  # still blank
        correction = checked(as_citra, work, original, as_csv(rows))
        assert lines(correction) == {"attention": 1, "duplicate": 2, "blank": 1}
        page = as_citra.get(url(correction, "check")).content.decode()
        assert page.count("Same phone as row 2") == 2
        applied(as_citra, work, correction)
        assert stored() == before
        assert adds_up(original)

    def test_two_rows_of_the_file_with_one_number_make_one_record(
        self, as_citra: Client, work: Work, original: Import
    ) -> None:
        rows = download(as_citra, original)
        rows[1][4] = rows[3][4] = "081234567811"
        correction = applied(as_citra, work, checked(as_citra, work, original, as_csv(rows)))
        assert lines(correction) == {"ready": 1, "attention": 1, "duplicate": 1, "blank": 1}
        assert Record.objects.filter(phone="6281234567811").count() == 1
        assert adds_up(original)

    def test_a_second_file_finds_rows_that_need_nothing(
        self, as_citra: Client, work: Work, original: Import
    ) -> None:
        content = as_csv(self.corrected(as_citra, original))
        first = checked(as_citra, work, original, content)
        second = checked(as_citra, work, original, content)
        applied(as_citra, work, first)
        applied(as_citra, work, second)
        assert (lines(first), lines(second)) == ({"ready": 4}, {"untouched": 4})
        assert adds_up(original)
        assert original.repaired == 4

    def test_a_record_in_hands_is_repaired_there(
        self, as_citra: Client, ani: User, work: Work, original: Import
    ) -> None:
        from assignments.models import Assignment
        from crm.kernel import clock

        record = Record.objects.get(row_number=4)
        Assignment.objects.create(
            record=record,
            database=record.database,
            staff=ani,
            state=Assignment.State.ACTIVE,
            assigned_at=clock.now(),
        )
        content = as_csv(self.corrected(as_citra, original))
        applied(as_citra, work, checked(as_citra, work, original, content))
        assert Record.objects.get(row_number=4).attention is None
        assert not Pool.objects.filter(record=record).exists()
        assert adds_up(original)


class TestFiles:
    @pytest.mark.parametrize("language", ["en", "id"])
    def test_the_header_may_be_in_either_language(
        self, as_citra: Client, citra: User, work: Work, original: Import, language: str
    ) -> None:
        User.objects.filter(pk=citra.pk).update(language=language)
        rows = download(as_citra, original)
        assert rows[0][:2] == (["Row", "Reason"] if language == "en" else ["Baris", "Alasan"])
        rows[1][4] = "081234567811"
        with translation.override("en"):
            correction = checked(as_citra, work, original, as_csv(rows))
        assert lines(correction)["ready"] == 1

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda row: row[2:],  # the list itself
            lambda row: [row[1], row[0], *row[2:]],
            lambda row: [*row[:3], row[4], row[3], *row[5:]],
            lambda row: row[:-1],
            lambda row: [*row, "x"],
        ],
    )
    def test_other_columns_are_refused_with_a_sentence(
        self, as_citra: Client, work: Work, original: Import, files: Any, spoil: Any
    ) -> None:
        rows = download(as_citra, original)
        correction = checked(as_citra, work, original, as_csv([spoil(row) for row in rows]))
        assert (correction.state, correction.problem) == ("refused", "not_the_download")
        page = as_citra.get(url(correction, "check")).content.decode()
        assert "Download it again" in page
        assert files() == [original.file.name]

    def test_something_else_than_a_table_is_refused_at_once(
        self, as_citra: Client, original: Import
    ) -> None:
        answer = send(as_citra, original, b"x", name="koreksi.pdf")
        assert answer.status_code == 422
        assert as_citra.post(url(original, "correct"), {}).status_code == 422
        assert Import.objects.count() == 1

    def test_the_same_form_sent_twice_is_one_file(
        self, as_citra: Client, work: Work, original: Import
    ) -> None:
        content, token = as_csv(download(as_citra, original)), uuid.uuid4()
        answers = [send(as_citra, original, content, token=token) for _twice in range(2)]
        assert answers[0]["Location"] == answers[1]["Location"]
        assert Import.objects.count() == 2

    def test_names_of_columns_may_be_those_of_the_download(
        self, as_citra: Client, work: Work
    ) -> None:
        content = b"Row;Reason;No HP;=x\n1;a;0812;b\n2;b;081234567890;c\n"
        source = confirmed(as_citra, uploaded(as_citra, work, content=content))
        work()
        rows = download(as_citra, source)
        rows[1][4] = "081234567811"
        correction = checked(as_citra, work, source, as_csv(rows))
        assert correction.problem == ""
        assert lines(correction) == {"ready": 1}

    def test_rows_wider_than_the_header_keep_their_cells(
        self, as_citra: Client, work: Work
    ) -> None:
        content = (
            ROWS
            + "".join(f"u{i};N;08125555{i:04};K;1\n" for i in range(300)).encode()
            + b"wide;N;0812;K;1;more;cells\n"
        )
        source = confirmed(as_citra, uploaded(as_citra, work, content=content))
        work()
        rows = download(as_citra, source)
        assert rows[-1][7:] == ["more", "cells"]
        rows[-1][4] = "081277777777"
        correction = applied(as_citra, work, checked(as_citra, work, source, as_csv(rows)))
        assert lines(correction)["ready"] == 1
        assert Record.objects.get(phone="6281277777777").cells[5:] == ["more", "cells"]


class TestTheJob:
    def waiting(self, client: Client, work: Work, original: Import) -> Import:
        rows = download(client, original)
        rows[1][4] = "081234567811"
        return checked(client, work, original, as_csv(rows))

    def test_it_is_all_or_nothing(
        self, as_citra: Client, work: Work, original: Import, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        correction, before = self.waiting(as_citra, work, original), stored()
        fail = lambda *args, **kwargs: (_ for _ in ()).throw(DatabaseError("x"))  # noqa: E731
        with monkeypatch.context() as patch:
            patch.setattr(applying, "_complete", fail)
            applied(as_citra, work, correction)
        assert correction.state == Import.State.FAILED
        assert stored() == before
        assert not RepairedRow.objects.exists()
        assert adds_up(original)
        page = as_citra.get(url(correction, "progress")).content.decode()
        assert "Try again" in page
        assert as_citra.post(url(correction, "retry")).status_code == 302
        work()
        correction.refresh_from_db()
        assert (correction.state, lines(correction)["ready"]) == ("done", 1)

    def test_it_can_be_discarded_before(
        self, as_citra: Client, work: Work, original: Import, files: Any
    ) -> None:
        correction, before = self.waiting(as_citra, work, original), stored()
        answer = as_citra.post(url(correction, "cancel"))
        assert answer["Location"] == url(original, "report")
        assert stored() == before
        assert files() == [original.file.name]

    def test_it_is_refused_when_the_database_is_deleted_or_changed(
        self, as_citra: Client, citra: User, work: Work, original: Import
    ) -> None:
        from crm.kernel import clock

        correction = self.waiting(as_citra, work, original)
        database = Database.objects.get()
        change = database.changes.create(kind="columns", created_by=citra)
        assert send(as_citra, original, b"x").status_code == 409
        applied(as_citra, work, correction)
        assert (correction.state, correction.problem) == ("failed", "being_changed")
        change.delete()
        now = clock.now()
        Database.objects.update(archived_at=now, deleted_at=now, deleted_by=citra)
        as_citra.post(url(correction, "retry"))
        work()
        correction.refresh_from_db()
        assert (correction.state, correction.problem) == ("failed", "database_gone")
        assert send(as_citra, original, b"x").status_code == 409

    def test_other_roles_of_the_columns_since_are_noticed(
        self, as_citra: Client, work: Work, original: Import, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        correction, lock = self.waiting(as_citra, work, original), applying.lock_database

        def with_other_roles(database_id: int, **more: Any) -> Database:
            Database.objects.update(roles=["username", "", "phone", "name", ""])
            return lock(database_id, **more)

        monkeypatch.setattr(applying, "lock_database", with_other_roles)
        applied(as_citra, work, correction)
        assert (correction.state, correction.problem) == ("failed", "columns_changed")


class TestAsBefore:
    @pytest.mark.parametrize(
        ("before", "now"),
        [
            ("0012345", "12345"),
            ("1234567890123456", "1.23457E+15"),
            ("1234567890123456", "1,23457e+15"),
            ("1234567890123456", "1234567890123450"),
            ("000", ""),
        ],
    )
    def test_what_a_spreadsheet_did_to_a_number_is_undone(self, before: str, now: str) -> None:
        assert as_before(before, now) == before

    @pytest.mark.parametrize(
        ("before", "now"),
        [
            ("0012345", "12346"),
            ("1234567890123456", "1.23458E+15"),
            ("1234567890123456", "1234567890123451"),
            ("Budi", "budi"),
            ("", "1"),
            ("12345", ""),
            ("0", ""),
        ],
    )
    def test_what_a_person_typed_stays(self, before: str, now: str) -> None:
        assert as_before(before, now) == now


class TestRowsOfTheFile:
    def test_every_row_of_the_file_is_found_by_its_number(
        self, as_citra: Client, original: Import
    ) -> None:
        words = {
            2: "Ready",
            4: "Not a usable phone number",
            6: "Same phone as row 2",
            7: "Blank row",
        }
        for row, word in words.items():
            page = as_citra.get(url(original, "rows") + f"?row={row}").content.decode()
            assert word in page, row
            assert f"Row {row}" in page
        assert "?row=2" in as_citra.get(url(original, "rows") + "?row=6").content.decode()
        for nothing in ("99", "x", "9" * 30, "1"):
            page = as_citra.get(url(original, "rows") + f"?row={nothing}").content.decode()
            assert "No such row" in page

    def test_skipped_rows_are_listed_by_outcome(self, as_citra: Client, original: Import) -> None:
        found = {
            only: [
                row.number
                for row in as_citra.get(url(original, "rows") + f"?only={only}").context["rows"]
            ]
            for only in ("", "duplicate", "blank")
        }
        assert found == {"": [6, 7], "duplicate": [6], "blank": [7]}
        assert Activity.objects.filter(kind="rows.shown").count() == 3

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_for_any_number_of_rows(
        self, as_citra: Client, original: Import, rows: int, django_assert_num_queries: Any
    ) -> None:
        SkippedRow.objects.bulk_create(
            SkippedRow(source=original, row_number=100 + i, reason="blank", cells=[])
            for i in range(rows)
        )
        with django_assert_num_queries(6):
            assert as_citra.get(url(original, "rows") + "?only=blank").status_code == 200

    def test_the_report_leads_to_them(self, as_citra: Client, original: Import) -> None:
        page = as_citra.get(url(original, "report")).content.decode()
        for link in (
            f"/manage/databases/{original.database_id}/attention/",
            f"/manage/databases/{original.database_id}/attention/?reason=invalid_phone",
            url(original, "rows") + "?only=duplicate",
            url(original, "rows") + "?only=blank",
            url(original, "correct"),
        ):
            assert f'"{link}"' in page
