-- What was kept of a show's picture, once it is over. The bytes are blobs below `recordings/<show>/`, named by their index
-- there; the row stays when they are removed, and says when and why.
create table recording (
  show_id uuid primary key references show (id),
  shop_id uuid not null references shop (id),
  state text not null check (state in ('ready', 'removed')),
  -- Of the picture's time, without breaks.
  duration_ms bigint not null check (duration_ms >= 0),
  bytes bigint not null check (bytes >= 0),
  -- [{ fromMs, startedAtMs, durationMs }], as the index gives them: a moment of the day is a place in the recording.
  stretches jsonb not null,
  -- What was found when it was read through; null until then.
  report jsonb,
  finished_at timestamptz not null,
  keep_until timestamptz not null,
  removed_at timestamptz,
  removed_by uuid references person (id) on delete set null,
  removed_why text check (removed_why in ('shop', 'age')),
  check ((state = 'removed') = (removed_at is not null)),
  check ((removed_at is null) = (removed_why is null))
);
create index recording_due on recording (keep_until) where state = 'ready';

-- How far a person has watched a replay. The end is no place to go on from: the row goes.
create table watch_position (
  person_id uuid not null references person (id) on delete cascade,
  show_id uuid not null references show (id) on delete cascade,
  position_ms bigint not null check (position_ms >= 0),
  watched_at timestamptz not null,
  primary key (person_id, show_id)
);
create index watch_position_recent on watch_position (person_id, watched_at desc);
