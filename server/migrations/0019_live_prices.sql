-- What a variant cost from when on, append-only: the former price that may be shown beside a lower one is the lowest of
-- thirty days (Directive 98/6/EC, article 6a).
create table price_history (
  id bigint generated always as identity primary key,
  variant_id uuid not null,
  price_minor bigint not null check (price_minor between 0 and 9007199254740991),
  from_at timestamptz not null
);
create index price_history_variant on price_history (variant_id, from_at);
comment on table price_history is 'append-only';
insert into price_history (variant_id, price_minor, from_at)
select variant.id, variant.price_minor, product.created_at
  from variant join product on product.id = variant.product_id;

-- A price while a show is live. From its beginning its pieces are held; those not ordered are `pieces_left`.
create table live_price (
  id uuid primary key,
  show_id uuid not null references show (id),
  variant_id uuid not null references variant (id),
  product_id uuid not null references product (id),
  price_minor bigint not null check (price_minor between 0 and 9007199254740991),
  former_minor bigint check (former_minor > price_minor),
  quota integer not null check (quota between 0 and 1000000),
  pieces_left integer not null check (pieces_left between 0 and quota),
  per_person integer not null check (per_person between 1 and 99),
  set_by uuid not null references person (id),
  set_at timestamptz not null,
  began_at timestamptz,
  ended_at timestamptz,
  check (pieces_left = 0 or began_at is not null),
  check (pieces_left = 0 or ended_at is null)
);
create unique index live_price_one on live_price (show_id, variant_id) where ended_at is null;
create index live_price_began on live_price (variant_id, began_at) where began_at is not null;

-- Pieces that an order has at a live price. Gone when the order gives them back.
create table live_price_use (
  order_id uuid not null,
  live_price_id uuid not null,
  person_id uuid not null,
  quantity integer not null check (quantity > 0),
  primary key (order_id, live_price_id)
);
create index live_price_use_person on live_price_use (live_price_id, person_id);
