-- Two roles for one database: `pingji_owner` makes and changes tables, `pingji_app` works with what is in them.
--
-- Run it as a superuser in Pingji's database, first when the database is empty, and again after every
-- `pingji db upgrade`: it may be repeated, and gives new tables their rights. docs/operations.md says how.
--
--   psql --dbname=pingji --set=ON_ERROR_STOP=1 --file=deploy/roles.sql
--
-- Neither role has a password here: give them one with \password, or let them in by the socket (peer).

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pingji_owner') THEN
        CREATE ROLE pingji_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pingji_app') THEN
        CREATE ROLE pingji_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO pingji_owner, pingji_app', current_database());
    EXECUTE format('ALTER DATABASE %I OWNER TO pingji_owner', current_database());
END $$;

CREATE EXTENSION IF NOT EXISTS postgis;

ALTER SCHEMA public OWNER TO pingji_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC, pingji_app;
GRANT USAGE ON SCHEMA public TO pingji_app;

-- What somebody else made before there were roles becomes the owner's. PostGIS keeps its own.
DO $$ DECLARE thing record; BEGIN
    FOR thing IN
        SELECT c.relname, c.relkind FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO pingji_owner', thing.relname);
    END LOOP;
    FOR thing IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO pingji_owner', thing.name);
    END LOOP;
END $$;

-- Rows of every table, and of those that come; never the tables themselves, never TRUNCATE.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM pingji_app;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM pingji_app;
GRANT SELECT ON spatial_ref_sys, geometry_columns, geography_columns TO pingji_app;
DO $$ DECLARE thing record; BEGIN
    FOR thing IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tableowner = 'pingji_owner' LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO pingji_app', thing.name);
    END LOOP;
END $$;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO pingji_app;
ALTER DEFAULT PRIVILEGES FOR ROLE pingji_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pingji_app;
ALTER DEFAULT PRIVILEGES FOR ROLE pingji_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO pingji_app;

-- The exceptions. Who breaks into the app can neither rewrite what happened nor hide that it did.
DO $$ BEGIN
    IF to_regclass('public.alembic_version') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM pingji_app;
    END IF;
    IF to_regclass('public.audit') IS NOT NULL THEN  -- added to, never changed
        REVOKE UPDATE, DELETE ON audit FROM pingji_app;
        REVOKE INSERT, DELETE ON audit_head FROM pingji_app;
    END IF;
    IF to_regclass('public.journal') IS NOT NULL THEN
        REVOKE UPDATE, DELETE ON journal FROM pingji_app;
    END IF;
    IF to_regclass('public.movement') IS NOT NULL THEN  -- added to; only whose statement it was may become unknown
        REVOKE UPDATE, DELETE ON movement FROM pingji_app;
        GRANT UPDATE (person, household, device, note) ON movement TO pingji_app;
    END IF;
    IF to_regclass('public.sealing_key') IS NOT NULL THEN
        REVOKE DELETE ON sealing_key FROM pingji_app;
    END IF;
END $$;

-- When a roll call begins, the app has the planner look at its table. Before PostgreSQL 17 only an owner may: there
-- autovacuum does it instead, within about a minute.
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 AND to_regclass('public.whereabouts') IS NOT NULL THEN
        EXECUTE 'GRANT MAINTAIN ON whereabouts TO pingji_app';
    END IF;
END $$;
