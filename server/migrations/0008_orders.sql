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
  request_hash bytea not null check (length(request_hash) = 32),
  state text not null check (state in ('held', 'paid', 'shipped', 'expired', 'declined', 'cancelled')),
  currency char(3) not null,
  total_minor bigint not null check (total_minor between 0 and 9007199254740991),
  address jsonb not null,
  hold_expires_at timestamptz not null,
  placed_at timestamptz not null,
  paid_at timestamptz,
  shipped_at timestamptz,
  carrier text,
  tracking_number text,
  unique (buyer_id, idempotency_key),
  check ((paid_at is not null) = (state in ('paid', 'shipped'))),
  check ((shipped_at is not null and carrier is not null and tracking_number is not null) = (state = 'shipped'))
);
create index order_buyer on "order" (buyer_id, placed_at desc, id desc);
create index order_buyer_held on "order" (buyer_id) where state = 'held';
create index order_shop on "order" (shop_id, placed_at desc, id desc);
create index order_shop_state on "order" (shop_id, state, placed_at desc, id desc);
create index order_held on "order" (hold_expires_at, id) where state = 'held';
create index order_show on "order" (show_id) where show_id is not null;

-- What was bought, in the words and at the price of that moment.
create table order_line (
  order_id uuid not null references "order" (id),
  position integer not null check (position >= 0),
  variant_id uuid not null references variant (id),
  product_id uuid not null references product (id),
  title text not null,
  option_values text[] not null,
  sku text not null,
  image_id uuid,
  -- Number in the show's bag; null outside a show.
  bag_number integer,
  unit_price_minor bigint not null check (unit_price_minor between 0 and 9007199254740991),
  quantity integer not null check (quantity > 0),
  primary key (order_id, position),
  unique (order_id, variant_id)
);

-- Every transition, with who and when, append-only. Without a person it was the clock or the payment.
create table order_transition (
  id bigint generated always as identity primary key,
  order_id uuid not null references "order" (id),
  from_state text,
  to_state text not null,
  person_id uuid,
  at timestamptz not null,
  check (coalesce(from_state, '') || ' > ' || to_state in (
    ' > held', 'held > paid', 'held > expired', 'held > declined', 'held > cancelled', 'paid > shipped'
  ))
);
-- Each state is entered once at most.
create unique index order_transition_once on order_transition (order_id, to_state);
comment on table order_transition is 'append-only';
