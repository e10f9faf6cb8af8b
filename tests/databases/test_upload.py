"""The form that takes a file: kept once it is here, refused in one sentence, never twice."""

from __future__ import annotations

import hashlib
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Activity, User
from databases.importing import limits
from databases.models import Import, ReceivedFile
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import MIXED, csv_file, form

URL = "/manage/databases/upload/"


@pytest.mark.django_db
class TestUpload:
    def test_it_keeps_the_file_and_has_it_read(
        self, as_citra: Client, citra: User, media: Path
    ) -> None:
        product = factories.make_product(name="Melati")
        answer = as_citra.post(URL, form(product, description="Januari"))
        source = Import.objects.get()
        assert (answer.status_code, answer["Location"]) == (
            302,
            f"/manage/databases/imports/{source.pk}/check/",
        )
        assert (source.name, source.description) == ("pelanggan", "Januari")
        assert source.uploaded_by == citra
        assert source.state == Import.State.READING
        assert source.sha256 == hashlib.sha256(MIXED).hexdigest()
        assert (media / source.file.name).read_bytes() == MIXED
        assert not ReceivedFile.objects.exists()
        job = ProcrastinateJob.objects.get()
        assert (job.queue_name, job.args) == ("short", {"import_id": source.pk, "attempt": 1})
        assert Activity.objects.filter(kind="upload.received", actor=citra).count() == 1

    def test_it_leads_htmx_to_the_check_page(self, as_citra: Client) -> None:
        answer = as_citra.post(URL, form(factories.make_product()), headers=HX)
        assert answer.status_code == 200
        assert answer["HX-Redirect"].endswith("/check/")

    def test_a_refused_form_keeps_what_was_typed_and_the_file(
        self, as_citra: Client, files: Any
    ) -> None:
        product = factories.make_product()
        sent = form(product, product="", name="Deposit Jan", description="dari Rina")
        refused = as_citra.post(URL, sent, headers=HX)
        assert refused.status_code == 422
        page = refused.content.decode()
        assert "<html" not in page
        assert "Deposit Jan" in page
        assert "dari Rina" in page
        kept = ReceivedFile.objects.get()
        assert str(kept.pk) in page

        again = {**sent, "product": product.pk, "received": str(kept.pk), "file": ""}
        assert as_citra.post(URL, again).status_code == 302
        source = Import.objects.get()
        assert source.original_name == "pelanggan.csv"
        assert files() == [source.file.name]

    def test_it_takes_no_kept_file_of_somebody_else(self, as_citra: Client) -> None:
        other = factories.make_admin()
        client = Client()
        client.force_login(other)
        client.post(URL, form(factories.make_product(), product=""))
        kept = ReceivedFile.objects.get(received_by=other)
        stolen = form(factories.make_product(), file="", received=str(kept.pk))
        assert as_citra.post(URL, stolen).status_code == 422
        assert not Import.objects.exists()

    @pytest.mark.parametrize("name", ["data.exe", "data.xlsm", "data", "data.csv.html"])
    def test_a_wrong_kind_of_file_is_refused_at_once(
        self, as_citra: Client, files: Any, name: str
    ) -> None:
        answer = as_citra.post(URL, form(factories.make_product(), file=csv_file(name)))
        assert answer.status_code == 422
        assert "cannot be read" in answer.content.decode()
        assert files() == []
        assert not Import.objects.exists()

    def test_the_form_says_how_much_it_takes(self, as_citra: Client, settings: Any) -> None:
        settings.UPLOAD_MAX_BYTES = 123 * 1024 * 1024
        page = as_citra.get(URL).content.decode()
        for limit in ("123 MB", f"{limits.ROWS:,} rows", f"{limits.COLUMNS} columns"):
            assert limit in page

    def test_a_file_is_needed(self, as_citra: Client) -> None:
        answer = as_citra.post(URL, form(factories.make_product(), file=""))
        assert answer.status_code == 422
        assert "Choose a file." in answer.content.decode()

    def test_an_empty_file_is_refused(self, as_citra: Client, files: Any) -> None:
        answer = as_citra.post(URL, form(factories.make_product(), file=csv_file(content=b"")))
        assert answer.status_code == 422
        assert files() == []

    def test_a_file_past_the_limit_is_refused_and_the_form_keeps_its_values(
        self, as_citra: Client, files: Any, settings: Any
    ) -> None:
        settings.UPLOAD_MAX_BYTES = 10
        sent = form(factories.make_product(), name="Terlalu besar")
        answer = as_citra.post(URL, sent)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "Split it" in page
        assert "Terlalu besar" in page
        assert files() == []

    def test_a_body_far_past_the_limit_is_not_written_at_all(
        self, as_citra: Client, files: Any, settings: Any, tmp_path: Path
    ) -> None:
        settings.UPLOAD_MAX_BYTES = 10
        settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "nowhere"  # writing to it would be an error
        big = csv_file(content=b"x" * (2 * 1024 * 1024))
        answer = as_citra.post(URL, form(factories.make_product(), file=big))
        assert answer.status_code == 422
        assert "Split it" in answer.content.decode()

    def test_an_archived_product_is_not_offered(self, as_citra: Client) -> None:
        from crm.kernel import clock

        product = factories.make_product(name="Kenanga")
        type(product).objects.update(archived_at=clock.now())
        assert as_citra.post(URL, form(product)).status_code == 422
        assert "Kenanga" not in as_citra.get(URL).content.decode()

    def test_fields_that_are_not_asked_for_are_ignored(self, as_citra: Client) -> None:
        sent = form(factories.make_product(), state="done", sha256="x", attempt=9, file_name="x")
        as_citra.post(URL, sent)
        source = Import.objects.get()
        assert (source.state, source.attempt) == (Import.State.READING, 1)

    def test_staff_upload_nothing(self, as_ani: Client, files: Any) -> None:
        assert as_ani.post(URL, form(factories.make_product())).status_code == 403
        assert files() == []

    def test_it_refuses_other_verbs(self, as_citra: Client) -> None:
        assert as_citra.put(URL).status_code == 405


@pytest.mark.django_db
class TestTheDiskRefuses:
    def test_a_media_folder_that_cannot_be_written_is_said_plainly(
        self, as_citra: Client, files: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_args: Any, **_kwargs: Any) -> str:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(default_storage._wrapped, "_save", full, raising=False)
        default_storage.save  # noqa: B018 -- the storage is made on first use
        monkeypatch.setattr(type(default_storage._wrapped), "_save", full)
        answer = as_citra.post(URL, form(factories.make_product(), name="Penuh"))
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "could not save the file" in page
        assert "Penuh" in page
        assert not Import.objects.exists()
        assert not ReceivedFile.objects.exists()
        assert files() == []

    def test_a_folder_for_arriving_files_that_is_gone_is_said_plainly(
        self, as_citra: Client, settings: Any, tmp_path: Path
    ) -> None:
        settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "nowhere"
        answer = as_citra.post(URL, form(factories.make_product()))
        assert answer.status_code == 409
        assert "could not save the file" in answer.content.decode()

    def test_a_database_that_refuses_leaves_no_orphan_file(
        self, as_citra: Client, files: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.db import OperationalError

        def away(*_args: Any, **_kwargs: Any) -> None:
            raise OperationalError("away")

        monkeypatch.setattr(type(ReceivedFile.objects), "create", away)
        with pytest.raises(OperationalError):
            as_citra.post(URL, form(factories.make_product()))
        assert files() == []


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_again_later_leads_to_the_one_import(
    as_citra: Client, files: Any
) -> None:
    """The answer was lost on the way, and somebody presses the button once more."""
    product, token = factories.make_product(), str(uuid.uuid4())
    answers = [as_citra.post(URL, form(product, token=token)) for _ in range(3)]
    source = Import.objects.get()
    assert {answer["Location"] for answer in answers} == {
        f"/manage/databases/imports/{source.pk}/check/"
    }
    assert files() == [source.file.name]
    assert not ReceivedFile.objects.exists()
    assert ProcrastinateJob.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_form_sent_by_many_at_once_makes_one_import(citra: User, files: Any) -> None:
    product, token = factories.make_product(), str(uuid.uuid4())
    start, answers = threading.Barrier(4), []

    def send() -> None:
        try:
            client = Client()
            client.force_login(citra)
            sent = form(product, token=token)
            start.wait()
            answers.append(client.post(URL, sent)["Location"])
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    source = Import.objects.get()
    assert answers == [f"/manage/databases/imports/{source.pk}/check/"] * 4
    assert ProcrastinateJob.objects.count() == 1
    assert files() == [source.file.name]
    assert not ReceivedFile.objects.exists()
