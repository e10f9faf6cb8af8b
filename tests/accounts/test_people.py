"""The People page: who is let in, what they hold, and letting somebody go."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Activity, User
from assignments.models import Assignment, BatchStat, RecordRequest
from databases.models import Pool
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/manage/people/"
NEW = {"name": "Dewi", "email": "Dewi@Example.com", "role": "staff"}


def _url(user: User, act: str = "") -> str:
    return f"{URL}{user.pk}/{act}"


def _edit(user: User, **changes: object) -> dict[str, object]:
    form = {"name": user.name, "email": user.email, "role": user.role, "version": user.version}
    return form | changes


class TestList:
    def test_it_shows_role_workload_and_last_activity(
        self, as_citra: Client, ani: User, citra: User
    ) -> None:
        factories.make_batch(staff=ani, records=7)
        page = as_citra.get(URL)
        shown = {person.name: person for person in page.context["page"].rows}
        assert (shown["Ani"].assigned, shown["Ani"].unchecked) == (7, 7)
        assert shown["Ani"].last_seen is None
        assert shown["Citra"].assigned == 0

    def test_it_filters_and_searches(self, as_citra: Client, ani: User, budi: User) -> None:
        User.objects.filter(pk=budi.pk).update(is_active=False)

        def names(query: str) -> list[str]:
            return [person.name for person in as_citra.get(URL + query).context["page"].rows]

        assert names("") == ["Ani", "Citra"]
        assert names("?show=admin") == ["Citra"]
        assert names("?show=staff") == ["Ani"]
        assert names("?show=inactive") == ["Budi"]
        assert names("?q=ANI@") == ["Ani"]
        assert names("?q=%00&show=nonsense&after=nonsense") == ["Ani", "Citra"]

    def test_a_part_of_it_comes_to_htmx(self, as_citra: Client) -> None:
        answer = as_citra.get(URL, headers={"HX-Request": "true"})
        assert b"<html" not in answer.content
        assert "HX-Request" in answer["Vary"]

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_for_any_number_of_people(
        self, rows: int, as_citra: Client, django_assert_num_queries
    ) -> None:  # type: ignore[no-untyped-def]
        database = factories.make_database(records=40)
        for _n in range(rows):
            factories.make_batch(staff=factories.make_user(), records=1, database=database)
        as_citra.get(URL)  # stamps the session
        with django_assert_num_queries(5):  # session, reader, rows, counts, waiting requests
            as_citra.get(URL)


class TestCreate:
    def test_the_password_is_shown_once(self, as_citra: Client, citra: User) -> None:
        answer = as_citra.post(URL + "create/", NEW)
        assert answer.status_code == 200
        password = answer.context["given"].password
        assert password in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        dewi = User.objects.get(email="dewi@example.com")
        assert dewi.check_password(password)
        assert dewi.must_change_password
        act = Activity.objects.get()
        assert (act.kind, act.actor, act.subject_id) == ("user.created", citra, dewi.pk)
        assert password not in str(Activity.objects.values())
        assert password not in as_citra.get(_url(dewi)).content.decode()

    def test_an_email_is_somebodys_whatever_its_case(self, as_citra: Client, ani: User) -> None:
        answer = as_citra.post(URL + "create/", NEW | {"email": "ANI@example.com"})
        assert answer.status_code == 409
        assert "ani@example.com" in str(answer.context["form"].errors["email"])
        assert 'value="Dewi"' in answer.content.decode()

    @pytest.mark.parametrize(
        "wrong", [{"name": " "}, {"email": "no-mail"}, {"role": "boss"}, {"name": "x" * 81}]
    )
    def test_what_is_wrong_is_said(self, as_citra: Client, wrong: dict[str, str]) -> None:
        answer = as_citra.post(URL + "create/", NEW | wrong)
        assert answer.status_code == 422
        assert set(answer.context["form"].errors) == set(wrong)

    def test_nothing_else_can_be_set(self, as_citra: Client) -> None:
        extra = {
            "is_active": "",
            "is_staff": "1",
            "is_superuser": "1",
            "password": "known-to-me-1",
            "must_change_password": "",
            "password_expires_at": "",
            "session_epoch": "9",
            "version": "9",
            "id": "1",
        }
        as_citra.post(URL + "create/", NEW | extra)
        dewi = User.objects.get(email="dewi@example.com")
        assert (dewi.is_active, dewi.is_admin, dewi.must_change_password) == (True, False, True)
        assert (dewi.version, dewi.session_epoch) == (1, 0)
        assert dewi.password_expires_at is not None
        assert not dewi.check_password("known-to-me-1")


class TestEdit:
    def test_it_saves_and_writes_what_changed(self, as_citra: Client, ani: User) -> None:
        answer = as_citra.post(_url(ani), _edit(ani, name="Ani Putri", role="admin"))
        assert answer.status_code == 302
        ani.refresh_from_db()
        assert (ani.name, ani.role, ani.version) == ("Ani Putri", "admin", 2)
        changes = Activity.objects.get().details["changes"]
        assert changes == {"name": ["Ani", "Ani Putri"], "role": ["staff", "admin"]}

    def test_who_holds_records_stays_staff(self, as_citra: Client, ani: User) -> None:
        factories.make_batch(staff=ani, records=2)
        answer = as_citra.post(_url(ani), _edit(ani, role="admin"))
        assert answer.status_code == 409
        assert "stay staff" in answer.content.decode()
        ani.refresh_from_db()
        assert (ani.role, ani.version) == ("staff", 1)
        assert as_citra.post(_url(ani), _edit(ani, name="Ani Putri")).status_code == 302

    def test_an_old_page_is_told_and_shows_both(self, as_citra: Client, ani: User) -> None:
        old = _edit(ani, name="Anita")
        as_citra.post(_url(ani), _edit(ani, name="Annisa"))
        answer = as_citra.post(_url(ani), old)
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "Annisa" in page
        assert "Anita" in page
        ani.refresh_from_db()
        assert ani.name == "Annisa"
        again = answer.context["form"].data
        assert as_citra.post(_url(ani), again).status_code == 302
        ani.refresh_from_db()
        assert ani.name == "Anita"

    def test_saving_without_a_change_writes_nothing(self, as_citra: Client, ani: User) -> None:
        as_citra.post(_url(ani), _edit(ani))
        assert not Activity.objects.exists()

    def test_a_taken_email_is_said_at_the_field(
        self, as_citra: Client, ani: User, budi: User
    ) -> None:
        answer = as_citra.post(_url(ani), _edit(ani, email="BUDI@example.com"))
        assert answer.status_code == 409
        assert answer.context["form"].errors["email"]

    def test_nobody_demotes_themselves(self, as_citra: Client, citra: User) -> None:
        factories.make_admin()
        answer = as_citra.post(_url(citra), _edit(citra, role="staff"))
        assert answer.status_code == 409
        citra.refresh_from_db()
        assert citra.is_admin

    def test_nothing_else_can_be_set(self, as_citra: Client, ani: User) -> None:
        before = User.objects.filter(pk=ani.pk).values().get()
        extra = {"is_active": "", "password": "x", "session_epoch": "9", "language": "en"}
        as_citra.post(_url(ani), _edit(ani, name="Ana", **extra))
        after = User.objects.filter(pk=ani.pk).values().get()
        assert {k for k in after if after[k] != before[k]} == {"name", "version"}


class TestResetPassword:
    def test_a_new_one_is_shown_once(self, as_citra: Client, ani: User) -> None:
        answer = as_citra.post(_url(ani, "reset-password/"))
        ani.refresh_from_db()
        assert ani.check_password(answer.context["given"].password)
        assert ani.must_change_password
        assert [act.kind for act in Activity.objects.all()] == ["user.password_reset"]

    def test_ones_own_is_changed_in_the_profile(self, as_citra: Client, citra: User) -> None:
        before = citra.password
        assert as_citra.post(_url(citra, "reset-password/")).status_code == 302
        citra.refresh_from_db()
        assert citra.password == before


class TestDeactivate:
    def test_it_says_what_they_hold(self, as_citra: Client, ani: User) -> None:
        database = factories.make_database(records=10)
        factories.make_batch(staff=ani, records=4, database=database)
        factories.make_pending(staff=ani, database=database, quantity=3)
        holding = as_citra.get(_url(ani, "deactivate/")).context["holding"]
        assert (holding.records, holding.databases) == (4, 1)
        assert (holding.requests, holding.requested) == (1, 3)

    def test_recall_puts_everything_back_in_one_step(self, as_citra: Client, ani: User) -> None:
        database = factories.make_database(records=10)
        factories.make_batch(staff=ani, records=4, database=database)
        pending = factories.make_pending(staff=ani, database=database, quantity=3)
        answer = as_citra.post(_url(ani, "deactivate/"), {"holdings": "recall"})
        assert answer.status_code == 302
        ani.refresh_from_db()
        assert not ani.is_active
        assert Pool.objects.filter(database=database).count() == 10
        pending.refresh_from_db()
        assert pending.status == RecordRequest.Status.REJECTED
        kinds = set(Activity.objects.values_list("kind", flat=True))
        assert {"user.deactivated", "records.recalled"} <= kinds

    def test_hand_over_gives_everything_to_another(
        self, as_citra: Client, ani: User, budi: User
    ) -> None:
        factories.make_batch(staff=ani, records=4)
        form = {"holdings": "hand_over", "to": budi.pk}
        assert as_citra.post(_url(ani, "deactivate/"), form).status_code == 302
        assert Assignment.objects.active().filter(staff=budi).count() == 4
        assert not BatchStat.objects.filter(staff=ani, records__gt=0).exists()

    def test_it_may_be_left_with_them(self, as_citra: Client, ani: User) -> None:
        factories.make_batch(staff=ani, records=4)
        as_citra.post(_url(ani, "deactivate/"), {"holdings": "keep"})
        assert Assignment.objects.active().filter(staff=ani).count() == 4
        ani.refresh_from_db()
        assert not ani.is_active

    @pytest.mark.parametrize("choice", [{}, {"holdings": "hand_over"}, {"holdings": "burn"}])
    def test_without_a_choice_nothing_happens(
        self, as_citra: Client, ani: User, choice: dict[str, str]
    ) -> None:
        factories.make_batch(staff=ani, records=4)
        assert as_citra.post(_url(ani, "deactivate/"), choice).status_code == 422
        ani.refresh_from_db()
        assert ani.is_active

    def test_nobody_receives_who_cannot(self, as_citra: Client, ani: User, citra: User) -> None:
        factories.make_batch(staff=ani, records=4)
        gone = factories.make_user()
        User.objects.filter(pk=gone.pk).update(is_active=False)
        for to in (gone.pk, ani.pk, citra.pk, 999999):
            form = {"holdings": "hand_over", "to": to}
            assert as_citra.post(_url(ani, "deactivate/"), form).status_code == 422
        ani.refresh_from_db()
        assert ani.is_active

    def test_a_refusal_moves_nothing(self, as_citra: Client, citra: User) -> None:
        factories.make_admin()
        answer = as_citra.post(_url(citra, "deactivate/"))
        assert answer.status_code == 409
        citra.refresh_from_db()
        assert citra.is_active
        assert not Activity.objects.exists()

    def test_the_admins_are_locked_before_the_person(self, as_citra: Client) -> None:
        """As everywhere: admins who remove each other wait for each other instead of colliding."""
        leaving = factories.make_admin(name="Eka")
        with CaptureQueriesContext(connection) as queries:
            as_citra.post(_url(leaving, "deactivate/"))
        locks = [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
        assert """"role" = 'admin'""" in locks[0]
        leaving.refresh_from_db()
        assert not leaving.is_active

    def test_they_can_be_let_in_again(self, as_citra: Client, ani: User) -> None:
        as_citra.post(_url(ani, "deactivate/"))
        as_citra.post(_url(ani, "reactivate/"))
        as_citra.post(_url(ani, "reactivate/"))
        ani.refresh_from_db()
        assert ani.is_active
        kinds = list(Activity.objects.order_by("pk").values_list("kind", flat=True))
        assert kinds == ["user.deactivated", "user.reactivated"]


class TestDelete:
    def test_an_account_never_used_can_go(self, as_citra: Client) -> None:
        mistake = factories.make_user()
        assert as_citra.post(_url(mistake, "delete/")).status_code == 302
        assert not User.objects.filter(pk=mistake.pk).exists()
        assert Activity.objects.get().kind == "user.deleted"

    def test_somebody_with_data_is_kept(self, as_citra: Client, ani: User) -> None:
        factories.make_batch(staff=ani, records=1)
        answer = as_citra.post(_url(ani, "delete/"))
        assert answer.status_code == 409
        assert User.objects.filter(pk=ani.pk).exists()
        assert not Activity.objects.exists()

    def test_somebody_who_ever_signed_in_is_kept(self, as_citra: Client) -> None:
        other = factories.make_user(email="eko@example.com", password="rumah-di-bukit-9")
        Client().post("/signin/", {"email": other.email, "password": "rumah-di-bukit-9"})
        assert as_citra.post(_url(other, "delete/")).status_code == 409

    def test_nobody_deletes_themselves(self, as_citra: Client, citra: User) -> None:
        factories.make_admin()
        assert as_citra.post(_url(citra, "delete/")).status_code == 409


class TestStaff:
    def test_they_let_nobody_in_and_raise_nobody(self, as_ani: Client, ani: User) -> None:
        assert as_ani.post(URL + "create/", NEW | {"role": "admin"}).status_code == 403
        assert as_ani.post(_url(ani), _edit(ani, role="admin")).status_code == 403
        assert as_ani.get("/django-admin/").status_code == 403
        ani.refresh_from_db()
        assert not ani.is_admin
