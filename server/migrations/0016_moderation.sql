-- Moderators of a shop's shows.
alter table shop_member drop constraint shop_member_role_check;
alter table shop_member
  add constraint shop_member_role_check check (role in ('owner', 'manager', 'host', 'moderator', 'packer'));
alter table shop_invitation drop constraint shop_invitation_role_check;
alter table shop_invitation
  add constraint shop_invitation_role_check check (role in ('owner', 'manager', 'host', 'moderator', 'packer'));

-- How the talk of a show is held; without a row it is free.
create table chat_setting (
  show_id uuid primary key references show (id) on delete cascade,
  slow_seconds integer not null check (slow_seconds in (0, 5, 15, 30, 60)),
  is_quiet boolean not null
);

create table moderation_word_list (
  shop_id uuid primary key references shop (id) on delete cascade,
  words text[] not null check (cardinality(words) <= 500),
  updated_at timestamptz not null
);

-- What was decided against somebody. In force from created_at until it is lifted or over.
create table moderation_measure (
  id uuid primary key,
  kind text not null check (kind in ('removal', 'mute', 'ban', 'talk', 'live', 'end')),
  decided_as text not null check (decided_as in ('shop', 'operator')),
  decided_by uuid references person (id) on delete set null,
  -- Whom it concerns; null where it is the shop itself (live, end).
  person_id uuid references person (id) on delete cascade,
  name text not null,
  -- Guests that the person's browsers are when signed out; a ban holds for them too.
  guest_ids text[] not null,
  shop_id uuid references shop (id) on delete cascade,
  show_id uuid references show (id) on delete cascade,
  message_id uuid,
  -- The message that it is about, as it was.
  text text,
  reason text not null,
  words text not null check (length(words) <= 500),
  created_at timestamptz not null,
  until timestamptz,
  lifted_at timestamptz,
  check ((kind in ('live', 'end')) = (person_id is null)),
  check (kind = 'talk' or shop_id is not null)
);
create index moderation_measure_shop on moderation_measure (shop_id, created_at desc, id desc);
create index moderation_measure_person on moderation_measure (person_id, created_at desc, id desc);
create index moderation_measure_show on moderation_measure (show_id);
-- What holds now: read whole for a shop, and for all of the market.
create index moderation_measure_open on moderation_measure (shop_id)
  where lifted_at is null and kind in ('mute', 'ban', 'live');
create index moderation_measure_talk on moderation_measure (created_at) where lifted_at is null and kind = 'talk';
-- One of a kind at a time: a second one first lifts the one before.
create unique index moderation_removal on moderation_measure (message_id) where kind = 'removal' and lifted_at is null;

create table moderation_report (
  id uuid primary key,
  reporter_id uuid not null references person (id) on delete cascade,
  reporter_name text not null,
  kind text not null check (kind in ('message', 'show', 'product', 'shop')),
  thing_id uuid not null,
  -- As it was when it was reported: title, author, the lines around a message.
  title text not null,
  author_id uuid references person (id) on delete set null,
  author_name text,
  lines jsonb not null,
  shop_id uuid not null references shop (id) on delete cascade,
  shop_slug text not null,
  shop_name text not null,
  show_id uuid references show (id) on delete set null,
  show_title text,
  reason text not null,
  words text not null check (length(words) <= 500),
  is_urgent boolean not null,
  created_at timestamptz not null,
  shop_acted_at timestamptz,
  decided_at timestamptz,
  action text check (action in ('nothing', 'removal', 'end', 'talk', 'live')),
  answer text not null check (length(answer) <= 500),
  unique (reporter_id, kind, thing_id),
  check ((decided_at is null) = (action is null))
);
create index moderation_report_open on moderation_report (is_urgent desc, created_at desc, id desc)
  where decided_at is null;
create index moderation_report_decided on moderation_report (decided_at desc, id desc) where decided_at is not null;
create index moderation_report_shop on moderation_report (shop_id, created_at desc, id desc) where kind = 'message';
create index moderation_report_reporter on moderation_report (reporter_id, created_at desc, id desc);
create index moderation_report_thing on moderation_report (thing_id);

create table moderation_appeal (
  id uuid primary key,
  measure_id uuid not null unique references moderation_measure (id) on delete cascade,
  person_id uuid not null references person (id) on delete cascade,
  name text not null,
  words text not null check (length(words) between 1 and 1000),
  created_at timestamptz not null,
  state text not null check (state in ('open', 'granted', 'refused')),
  answer text not null check (length(answer) <= 500),
  decided_at timestamptz,
  check ((state = 'open') = (decided_at is null))
);
create index moderation_appeal_state on moderation_appeal (state, created_at desc, id desc);

-- Who decided what, when and why, append-only. Ids without references: the log outlives what it tells of.
create table moderation_decision (
  id uuid primary key,
  at timestamptz not null,
  person_id uuid not null,
  name text not null,
  decided_as text not null check (decided_as in ('shop', 'operator')),
  what text not null check (what in ('measure', 'lifted', 'report-decided', 'appeal-granted', 'appeal-refused')),
  kind text,
  subject text not null,
  reason text,
  words text not null,
  shop_id uuid,
  measure_id uuid,
  report_id uuid,
  appeal_id uuid
);
create index moderation_decision_at on moderation_decision (at desc, id desc);
comment on table moderation_decision is 'append-only';
