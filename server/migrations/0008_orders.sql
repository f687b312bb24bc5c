create table "order" (
  id uuid primary key,
  number bigint generated always as identity (start with 1001) unique,
  shop_id uuid not null references shop (id),
  buyer_id uuid not null references person (id),
  buyer_name text not null,
  -- The show it was bought in; null when bought from the shop's page.
  show_id uuid references show (id),
  idempotency_key text not null check (length(idempotency_key) between 8 and 64),
  -- SHA-256 of what was asked for: the same key with another order is refused.
  request_hash bytea not null,
  state text not null check (state in ('held', 'paid', 'shipped', 'expired', 'declined', 'cancelled')),
  currency char(3) not null,
  total_minor bigint not null check (total_minor >= 0),
  address jsonb not null,
  hold_expires_at timestamptz not null,
  placed_at timestamptz not null,
  paid_at timestamptz,
  shipped_at timestamptz,
  carrier text,
  tracking_number text,
  unique (buyer_id, idempotency_key)
);
create index order_buyer on "order" (buyer_id, placed_at desc, id desc);
create index order_shop on "order" (shop_id, state, placed_at desc, id desc);
create index order_held on "order" (hold_expires_at) where state = 'held';
create index order_show on "order" (show_id) where show_id is not null;

-- What was bought, in the words and at the price of that moment.
create table order_line (
  order_id uuid not null references "order" (id),
  position integer not null,
  variant_id uuid not null references variant (id),
  product_id uuid not null references product (id),
  title text not null,
  option_values text[] not null,
  sku text not null,
  image_id uuid,
  unit_price_minor bigint not null check (unit_price_minor >= 0),
  quantity integer not null check (quantity > 0),
  primary key (order_id, position)
);

-- Every transition, with who and when, append-only.
create table order_transition (
  id bigint generated always as identity primary key,
  order_id uuid not null references "order" (id),
  from_state text,
  to_state text not null,
  person_id uuid,
  at timestamptz not null
);
create index order_transition_order on order_transition (order_id, id);
comment on table order_transition is 'append-only';
