-- A show's figures minute by minute, as analytics counts them. Read models: what they hold was told by others.

-- A buy sheet that was opened is an interest of its own, counted once per viewer and product.
alter table interest drop constraint interest_kind_check;
alter table interest
  add constraint interest_kind_check check (kind in ('card_opened', 'sheet_opened', 'bagged', 'bought'));
alter table show_item add column sheet_opened integer not null default 0;

-- Minute 0 begins when the show goes live; 1440 is everything after 24 hours.
create table show_minute (
  show_id uuid not null references show (id) on delete cascade,
  minute integer not null check (minute between 0 and 1440),
  -- When the minute ended; and the most, and how many different ones.
  viewers integer not null default 0 check (viewers >= 0),
  peak_viewers integer not null default 0 check (peak_viewers >= 0),
  different_viewers integer not null default 0 check (different_viewers >= 0),
  watched_ms bigint not null default 0 check (watched_ms >= 0),
  chats integer not null default 0 check (chats >= 0),
  explains integer not null default 0 check (explains >= 0),
  likes bigint not null default 0 check (likes >= 0),
  cards_opened integer not null default 0 check (cards_opened >= 0),
  sheets_opened integer not null default 0 check (sheets_opened >= 0),
  -- Last written: up to here the show's visits are known after a crash.
  written_at timestamptz not null,
  primary key (show_id, minute)
);

-- One viewer in one show. `viewer` is a hash of show and viewer, so that nobody can be followed from show to show.
create table show_visit (
  show_id uuid not null references show (id) on delete cascade,
  viewer bytea not null check (length(viewer) = 16),
  -- Null while the viewer has not been there during the show.
  first_at timestamptz,
  -- Null while not in the room.
  here_since timestamptz,
  watched_ms bigint not null default 0 check (watched_ms >= 0),
  source text check (length(source) between 1 and 20),
  host text check (length(host) between 1 and 100),
  country char(2) check (country ~ '^[A-Z]{2}$'),
  followed_at timestamptz,
  primary key (show_id, viewer)
);
create index show_visit_here on show_visit (show_id) where here_since is not null;
create index show_visit_followed on show_visit (show_id) where followed_at is not null;

-- Orders of shows, as orders told of them.
create table show_order (
  order_id uuid primary key,
  show_id uuid not null references show (id) on delete cascade,
  total_minor bigint not null check (total_minor >= 0),
  placed_at timestamptz,
  paid_at timestamptz
);
create index show_order_show on show_order (show_id);

create table show_order_product (
  order_id uuid not null references show_order (order_id) on delete cascade,
  product_id uuid not null,
  amount_minor bigint not null check (amount_minor >= 0),
  primary key (order_id, product_id)
);
