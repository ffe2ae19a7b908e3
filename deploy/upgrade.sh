#!/bin/sh
# Brings the tables to this program's version as their owner, then gives the app its rights to what is new.
set -eu
PINGJI_DATABASE_URL="postgresql://pingji_owner:$(cat /run/secrets/owner_password)@database/pingji" pingji db upgrade
PGPASSWORD=$(cat /run/secrets/superuser_password) psql --host=database --username=postgres --dbname=pingji \
    --set=ON_ERROR_STOP=1 --quiet --file=/deploy/roles.sql
