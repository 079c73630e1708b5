do $$
declare
  secured text;
begin
  if not exists (select from pg_roles where rolname = 'goalpost_keys') then
    begin
      create role goalpost_keys nologin;
    exception
      when duplicate_object or unique_violation then null; -- another database's migration was quicker
      when insufficient_privilege then
        raise insufficient_privilege using message =
          'row-level security needs the role goalpost_keys, which this user may not make; as an administrator: '
          || format('create role goalpost_keys nologin; grant goalpost_keys to %I', current_user);
    end;
  end if;
  if not pg_has_role(current_user, 'goalpost_keys', 'member') then
    execute format('grant goalpost_keys to %I', current_user);
  end if;

  for secured in
    select c.relname from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum = 1 and a.attname = 'organization'
     where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
       and not c.relrowsecurity
  loop
    execute format('alter table %I enable row level security', secured);
    execute format('alter table %I force row level security', secured);
    -- Asked once for a statement, not once for a row.
    execute format(
      'create policy own_organization on %I using '
      '(organization = (select nullif(current_setting(''goalpost.organization'', true), '''')::bigint))', secured);
    if secured = 'job' then
      create policy all_keys on job for select to goalpost_keys using (true);
    end if;
  end loop;
end
$$;

grant select (organization, id, kind, state, attempt, lease_until, created_at, deadline_at, started_at, expires_at)
   on job to goalpost_keys;
