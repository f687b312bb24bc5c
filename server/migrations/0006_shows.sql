create table show (
  id uuid primary key,
  shop_id uuid not null references shop (id),
  title text not null check (length(title) between 1 and 120),
  description text not null default '' check (length(description) <= 2000),
  cover_image_id uuid references image (id),
  state text not null check (state in ('planned', 'live', 'interrupted', 'ended', 'cancelled')),
  visibility text not null check (visibility in ('public', 'private')),
  -- The shop's, which never change; here so that lists need not ask.
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  is_demo boolean not null default false,
  starts_at timestamptz not null,
  went_live_at timestamptz,
  interrupted_at timestamptz,
  ended_at timestamptz,
  -- SHA-256 of the stream key; the key itself is shown once and kept nowhere.
  stream_key_hash bytea unique,
  stream_key_issued_at timestamptz,
  likes bigint not null default 0 check (likes >= 0),
  peak_viewers integer not null default 0 check (peak_viewers >= 0),
  -- Orders of this show that were paid, as orders told.
  paid_orders integer not null default 0 check (paid_orders >= 0),
  sales_minor bigint not null default 0 check (sales_minor >= 0),
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index show_state on show (state, starts_at, id);
create index show_shop on show (shop_id, starts_at desc, id);
-- The public lists, each in its own order.
create index show_live on show (went_live_at desc, id desc) where state in ('live', 'interrupted');
create index show_ended on show (ended_at desc, id desc) where state = 'ended';

-- The bag: goods of a show, numbered. A number once given stays with its product until the show ends.
create table show_item (
  show_id uuid not null references show (id) on delete cascade,
  product_id uuid not null references product (id),
  number integer not null check (number between 1 and 999),
  position integer not null check (position >= 0),
  removed boolean not null default false,
  card_opened integer not null default 0,
  bagged integer not null default 0,
  bought integer not null default 0,
  -- Viewers who asked for an explanation: those still waiting, and all.
  explain_open integer not null default 0 check (explain_open >= 0),
  explain_asked integer not null default 0 check (explain_asked >= explain_open),
  primary key (show_id, product_id),
  unique (show_id, number)
);
-- Which open rooms a change of price or stock concerns.
create index show_item_product on show_item (product_id) where not removed;

-- When each product was on screen; the open one (ended_at null) is on screen now.
create table on_screen_interval (
  id uuid primary key,
  show_id uuid not null references show (id) on delete cascade,
  product_id uuid not null references product (id),
  started_at timestamptz not null,
  ended_at timestamptz check (ended_at >= started_at)
);
create unique index on_screen_now on on_screen_interval (show_id) where ended_at is null;
create index on_screen_show on on_screen_interval (show_id, started_at);

-- Who asks for a product to be explained; answered when it comes on screen.
create table explain_request (
  show_id uuid not null references show (id) on delete cascade,
  product_id uuid not null references product (id),
  -- person/<uuid> or guest/<id>
  viewer text not null,
  asked_at timestamptz not null,
  answered_at timestamptz,
  primary key (show_id, product_id, viewer)
);

-- One row per viewer, product and kind, so that opening a card ten times counts once.
create table interest (
  show_id uuid not null references show (id) on delete cascade,
  product_id uuid not null references product (id),
  viewer text not null,
  kind text not null check (kind in ('card_opened', 'bagged', 'bought')),
  at timestamptz not null,
  primary key (show_id, product_id, kind, viewer)
);
