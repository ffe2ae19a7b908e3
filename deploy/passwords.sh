#!/bin/sh
# Runs once in the database's container, after roles.sql: the two roles get the passwords of their secrets.
set -eu
for role in owner app; do
    psql --username=postgres --dbname=pingji --set=ON_ERROR_STOP=1 --quiet \
        --set=role="pingji_$role" --set=password="$(cat "/run/secrets/${role}_password")" <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
done
