"""Django's PostgreSQL backend, with a server that is started when somebody first connects."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.postgresql.client import DatabaseClient as PostgresClient
from django.db.utils import OperationalError
from psycopg import OperationalError as PsycopgOperationalError

from crm.postgres.place import find_place, wheel_folder
from crm.postgres.server import ServerError, ensure_running


class DatabaseClient(PostgresClient):
    """`manage.py dbshell` with the psql that came with the server."""

    executable_name = str(wheel_folder() / "pginstall" / "bin" / "psql")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the embedded server."""

    client_class = DatabaseClient

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; where nobody answers, start the server and connect again."""
        place = find_place(Path(self.settings_dict["EMBEDDED_VAR_DIR"]))
        try:
            started = ensure_running(place)
            try:
                return super().get_new_connection(conn_params)
            except PsycopgOperationalError:
                # It may have gone down in between. Any other refusal is told as it is.
                if started or not ensure_running(place):
                    raise
                return super().get_new_connection(conn_params)
        except ServerError as error:
            raise OperationalError(str(error)) from error
