"""A file that comes in pieces: each once, in order, of one person, and whole before it is used."""

from __future__ import annotations

import hashlib
import io
import os
from collections import namedtuple
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from accounts.models import User
from crm.kernel import clock
from databases.models import Import, ReceivedFile
from databases.services import housekeeping, receiving
from tests import factories
from tests.concurrency.racing import Meeting, at_once
from tests.databases.helpers import MIXED, form

URL = "/manage/databases/upload/receive/"
UPLOAD = "/manage/databases/upload/"


def begin(client: Client, *, name: str = "pelanggan.csv", size: int = len(MIXED)) -> Any:
    return client.post(URL, {"name": name, "size": size})


def send(client: Client, started: Any, offset: int, piece: bytes, **more: Any) -> Any:
    url = f"{started.json()['pieces']}?offset={offset}"
    return client.post(url, piece, content_type="application/octet-stream", **more)


@pytest.mark.django_db
class TestReceive:
    def test_pieces_become_the_file_that_the_form_then_takes(
        self, as_citra: Client, media: Path
    ) -> None:
        started = begin(as_citra)
        assert started.status_code == 201
        assert started.json()["arrived"] == 0
        first = send(as_citra, started, 0, MIXED[:100]).json()
        assert (first["arrived"], first["whole"]) == (100, False)
        last = send(as_citra, started, 100, MIXED[100:]).json()
        assert (last["arrived"], last["whole"]) == (len(MIXED), True)
        received = ReceivedFile.objects.get()
        assert received.sha256 == hashlib.sha256(MIXED).hexdigest()

        sent = form(factories.make_product(), file="", received=last["id"])
        assert as_citra.post(UPLOAD, sent).status_code == 302
        source = Import.objects.get()
        assert (source.name, source.original_name) == ("pelanggan", "pelanggan.csv")
        assert (source.size, source.sha256) == (len(MIXED), received.sha256)
        assert (media / source.file.name).read_bytes() == MIXED
        assert not ReceivedFile.objects.exists()

    def test_a_refused_form_never_needs_the_file_again(self, as_citra: Client) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED)
        kept = started.json()["id"]
        sent = form(factories.make_product(), product="", file="", received=kept)
        refused = as_citra.post(UPLOAD, sent)
        assert refused.status_code == 422
        page = refused.content.decode()
        assert f'name="received" value="{kept}"' in page
        assert "pelanggan.csv has arrived" in page
        assert (
            as_citra.post(UPLOAD, sent | {"product": factories.make_product().pk}).status_code
            == 302
        )

    def test_the_form_sent_twice_leads_to_the_one_import(self, as_citra: Client) -> None:
        """The answer was lost on the way, and somebody presses the button once more."""
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED)
        sent = form(factories.make_product(), file="", received=started.json()["id"])
        answers = [as_citra.post(UPLOAD, sent) for _time in range(2)]
        source = Import.objects.get()
        assert {answer["Location"] for answer in answers} == {
            f"/manage/databases/imports/{source.pk}/check/"
        }
        other = Client()
        other.force_login(factories.make_admin())
        assert other.post(UPLOAD, sent).status_code == 422

    def test_half_a_file_is_not_taken_by_the_form(self, as_citra: Client) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:100])
        sent = form(factories.make_product(), file="", received=started.json()["id"])
        assert as_citra.post(UPLOAD, sent).status_code == 422
        assert not Import.objects.exists()

    def test_after_a_break_it_says_how_much_is_here(self, as_citra: Client) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:64])
        assert as_citra.get(started.json()["pieces"]).json()["arrived"] == 64

    @pytest.mark.parametrize(
        ("offset", "piece"),
        [
            (0, MIXED[:10]),  # sent twice: its answer was lost
            (5, MIXED[5:20]),  # overlaps
            (50, MIXED[50:60]),  # one is missing before it
            (10, MIXED),  # longer than announced
        ],
    )
    def test_a_piece_that_does_not_follow_is_refused_and_told_where_to_go_on(
        self, as_citra: Client, media: Path, offset: int, piece: bytes
    ) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:10])
        answer = send(as_citra, started, offset, piece)
        assert answer.status_code == 409
        assert answer.json()["arrived"] == 10
        stored = media / ReceivedFile.objects.get().file.name
        assert stored.read_bytes() == MIXED[:10]

    def test_a_piece_that_was_cut_off_does_not_count(self, as_citra: Client) -> None:
        started = begin(as_citra)
        half = {"wsgi.input": io.BytesIO(MIXED[:10]), "CONTENT_LENGTH": "20"}
        answer = send(as_citra, started, 0, MIXED[:20], **half)
        assert (answer.status_code, answer.json()["arrived"]) == (422, 0)

    def test_a_piece_that_is_too_large_is_not_even_read(
        self, as_citra: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receiving, "PIECE_MAX_BYTES", 50)
        started = begin(as_citra)
        assert send(as_citra, started, 0, MIXED[:51]).status_code == 422
        assert send(as_citra, started, 0, MIXED[:50]).status_code == 200

    @pytest.mark.parametrize("query", ["", "?offset=", "?offset=-1", "?offset=x", "?offset=1e3"])
    def test_a_piece_of_nowhere_is_refused(self, as_citra: Client, query: str) -> None:
        pieces = begin(as_citra).json()["pieces"]
        answer = as_citra.post(pieces + query, b"x", content_type="application/octet-stream")
        assert answer.status_code == 422

    def test_a_whole_file_takes_nothing_more(self, as_citra: Client) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED)
        assert send(as_citra, started, len(MIXED), b"x").status_code == 409
        assert send(as_citra, started, 0, MIXED).status_code == 409

    @pytest.mark.parametrize(
        ("name", "size", "said"),
        [
            ("data.exe", 10, "cannot be read"),
            ("data", 10, "cannot be read"),
            ("", 10, "required"),
            ("data.csv", 0, "This file is empty"),
            ("data.csv", -1, "greater than or equal"),
            ("data.csv", 600 * 1024 * 1024, "Split it"),
            ("data.csv", 10**30, "Split it"),
        ],
    )
    def test_what_will_not_be_read_is_refused_before_it_travels(
        self, as_citra: Client, files: Any, name: str, size: int, said: str
    ) -> None:
        answer = begin(as_citra, name=name, size=size)
        assert answer.status_code == 422
        assert said in answer.json()["message"]
        assert files() == []

    def test_files_of_somebody_else_are_not_there(self, as_citra: Client) -> None:
        started = begin(as_citra)
        other = Client()
        other.force_login(factories.make_admin())
        assert other.get(started.json()["pieces"]).status_code == 404
        assert send(other, started, 0, MIXED).status_code == 404
        assert other.post(started.json()["cancel"]).status_code == 204
        assert ReceivedFile.objects.get().arrived == 0

    def test_two_windows_do_not_mix(self, as_citra: Client, media: Path) -> None:
        one, two = begin(as_citra, size=6), begin(as_citra, size=6)
        for offset, (a, b) in enumerate(["ax", "by", "cz", "dw", "ev", "fu"]):
            send(as_citra, one, offset, a.encode())
            send(as_citra, two, offset, b.encode())
        stored = [media / f.file.name for f in ReceivedFile.objects.order_by("received_at")]
        assert [path.read_text() for path in stored] == ["abcdef", "xyzwvu"]

    def test_cancelling_deletes_what_has_arrived_and_twice_is_once(
        self, as_citra: Client, files: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:100])
        for _time in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                assert as_citra.post(started.json()["cancel"]).status_code == 204
        assert files() == []
        gone = send(as_citra, started, 100, MIXED[100:])
        assert gone.status_code == 404
        assert "no longer kept" in gone.json()["message"]

    def test_nobody_sends_more_than_a_few_at_once(self, as_citra: Client, files: Any) -> None:
        for _time in range(receiving.UNFINISHED_MAX):
            assert begin(as_citra).status_code == 201
        refused = begin(as_citra)
        assert refused.status_code == 409
        assert "still on their way" in refused.json()["message"]
        assert len(files()) == receiving.UNFINISHED_MAX

    def test_one_that_was_left_makes_room(
        self, as_citra: Client, files: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        started = [begin(as_citra) for _time in range(receiving.UNFINISHED_MAX)]
        left = ReceivedFile.objects.filter(pk=started[2].json()["id"])
        left.update(received_at=clock.now() - 2 * receiving.LEFT_AFTER)
        with django_capture_on_commit_callbacks(execute=True):
            assert begin(as_citra).status_code == 201
        assert not left.exists()
        assert len(files()) == receiving.UNFINISHED_MAX

    def test_what_nobody_finished_is_deleted_after_a_day(
        self, as_citra: Client, files: Any
    ) -> None:
        begin(as_citra)
        begin(as_citra)
        old = ReceivedFile.objects.earliest("received_at")
        ReceivedFile.objects.filter(pk=old.pk).update(
            received_at=clock.now() - housekeeping.UNUSED * 1.1
        )
        housekeeping.forget_old_uploads()
        assert files() == [ReceivedFile.objects.get().file.name]

    def test_staff_send_nothing(self, as_ani: Client, files: Any) -> None:
        assert begin(as_ani).status_code == 403
        assert files() == []


@pytest.mark.django_db
class TestTheDiskRefuses:
    def test_a_full_disk_is_said_before_anything_travels(
        self, as_citra: Client, files: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(receiving.shutil, "disk_usage", lambda _path: usage(9, 9, 0))
        answer = begin(as_citra)
        assert answer.status_code == 409
        assert "could not save the file" in answer.json()["message"]
        assert files() == []

    def test_a_disk_that_fills_meanwhile_keeps_nothing(
        self,
        as_citra: Client,
        files: Any,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        def full(*_args: Any) -> int:
            raise OSError(28, "No space left on device")

        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:100])
        monkeypatch.setattr(os, "pwrite", full)
        with django_capture_on_commit_callbacks(execute=True):
            answer = send(as_citra, started, 100, MIXED[100:])
        assert answer.status_code == 409
        assert "could not save the file" in answer.json()["message"]
        assert "arrived" not in answer.json()
        assert files() == []
        assert not ReceivedFile.objects.exists()

    def test_a_folder_that_cannot_be_written_is_said_plainly(
        self, as_citra: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(*_args: Any, **_kwargs: Any) -> str:
            raise OSError(30, "Read-only file system")

        default_storage.save  # noqa: B018 -- the storage is made on first use
        monkeypatch.setattr(type(default_storage._wrapped), "_save", refused)
        assert begin(as_citra).status_code == 409
        assert not ReceivedFile.objects.exists()

    def test_what_had_arrived_and_vanished_is_not_filled_with_nothing(
        self, as_citra: Client, media: Path
    ) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:100])
        (media / ReceivedFile.objects.get().file.name).write_bytes(b"")
        answer = send(as_citra, started, 100, MIXED[100:])
        assert answer.status_code == 409
        assert "no longer kept" in answer.json()["message"]

    def test_bytes_of_a_piece_that_was_not_committed_are_written_over(
        self, as_citra: Client, media: Path
    ) -> None:
        started = begin(as_citra)
        send(as_citra, started, 0, MIXED[:100])
        path = media / ReceivedFile.objects.get().file.name
        path.write_bytes(MIXED[:100] + b"of a process that died" * 50)
        assert send(as_citra, started, 100, MIXED[100:]).json()["whole"]
        assert path.read_bytes() == MIXED


@pytest.mark.django_db(transaction=True)
def test_the_same_piece_sent_by_many_at_once_is_taken_once(
    citra: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = begin(_client(citra))
    # Without the lock two would stand here, both before the first byte.
    monkeypatch.setattr(receiving, "_append", Meeting().before(receiving._append))
    clients = [_client(citra) for _ in range(4)]
    answers = at_once(*(partial(send, client, started, 0, MIXED[:100]) for client in clients))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert send(clients[0], started, 100, MIXED[100:]).json()["whole"]
    assert (media / ReceivedFile.objects.get().file.name).read_bytes() == MIXED


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_to_one_of_many_windows(
    citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _time in range(receiving.UNFINISHED_MAX - 1):
        begin(_client(citra))
    monkeypatch.setattr(receiving, "shown_name", Meeting().before(receiving.shown_name))
    answers = at_once(*(partial(begin, _client(citra)) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_by_many_at_once_makes_one_import_of_its_file(citra: User) -> None:
    started = begin(_client(citra))
    send(_client(citra), started, 0, MIXED)
    sent = form(factories.make_product(), file="", received=started.json()["id"])
    answers = at_once(*(partial(_client(citra).post, UPLOAD, sent) for _ in range(4)))
    source = Import.objects.get()
    assert {answer["Location"] for answer in answers} == {
        f"/manage/databases/imports/{source.pk}/check/"
    }


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
