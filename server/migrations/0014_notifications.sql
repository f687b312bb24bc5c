-- News for people. What happened to a show is one row, however many follow its shop; whom it concerns is read from who
-- follows. Only what concerns one person alone has a row of that person.
create table show_news (
  id uuid primary key,
  show_id uuid not null references show (id) on delete cascade,
  shop_id uuid not null references shop (id) on delete cascade,
  kind text not null check (kind in ('live', 'moved', 'cancelled')),
  -- A show that moves again is news again: the row takes the new time.
  at timestamptz not null,
  -- The start that was told; a push about another one is old.
  starts_at timestamptz not null,
  -- How far the followers were gone through, in the order of their ids; null: none yet.
  told_up_to uuid,
  told_all boolean not null default false,
  unique (show_id, kind)
);
create index show_news_shop on show_news (shop_id, at desc, id desc);

create table notification (
  id uuid primary key,
  person_id uuid not null references person (id) on delete cascade,
  kind text not null check (kind in ('order_shipped')),
  shop_id uuid not null references shop (id) on delete cascade,
  order_id uuid not null references "order" (id) on delete cascade,
  order_number text not null,
  at timestamptz not null,
  unique (order_id, kind)
);
create index notification_person on notification (person_id, at desc, id desc);

-- What a person wants to be told. Without a row: everything, at any hour.
create table notification_settings (
  person_id uuid primary key references person (id) on delete cascade,
  live boolean not null default true,
  plans boolean not null default true,
  orders boolean not null default true,
  -- Minutes after midnight in the person's time zone; from may be later than to. Both null: no quiet hours.
  quiet_from smallint check (quiet_from between 0 and 1439),
  quiet_to smallint check (quiet_to between 0 and 1439),
  -- What is older was seen.
  seen_until timestamptz,
  check ((quiet_from is null) = (quiet_to is null) and quiet_from <> quiet_to)
);

-- Where a browser takes pushes. It ends with the session that gave it.
create table push_subscription (
  id uuid primary key,
  person_id uuid not null references person (id) on delete cascade,
  session_id uuid not null unique references session (id) on delete cascade,
  endpoint text not null unique check (length(endpoint) between 1 and 1000),
  -- The browser's public key (P-256) and secret for RFC 8291, base64url.
  p256dh text not null check (length(p256dh) between 1 and 100),
  auth text not null check (length(auth) between 1 and 40),
  created_at timestamptz not null
);
create index push_subscription_person on push_subscription (person_id, created_at desc);
