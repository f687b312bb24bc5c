-- Facts that became true, written in the transaction that made them so and delivered at least once.
create table outbox (
  id bigint generated always as identity primary key,
  topic text not null check (length(topic) between 1 and 100),
  payload jsonb not null,
  created_at timestamptz not null,
  -- How often delivery failed; a row that keeps failing waits until next_try_at and never blocks the others.
  attempts integer not null default 0,
  next_try_at timestamptz not null
);
create index outbox_next_try on outbox (next_try_at, id);

-- Small values that belong to the installation as a whole (what was seeded, which version last ran).
create table installation (
  key text primary key,
  value jsonb not null
);
