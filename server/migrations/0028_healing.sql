-- What the host's device kept of a show and sent after it, until it is in the replay. The bytes are blobs
-- `recordings/<show>/part-<started_at_ms>.bin`. Healing is asked for once all is there.
create table recording_part (
  show_id uuid not null references recording (show_id) on delete cascade,
  -- The server's time at which its first picture and its last were captured.
  started_at_ms bigint not null,
  ended_at_ms bigint not null check (ended_at_ms >= started_at_ms),
  bytes bigint not null check (bytes > 0),
  taken_at timestamptz not null,
  primary key (show_id, started_at_ms)
);
alter table recording add column healing_since timestamptz;
