create table product (
  id uuid primary key,
  shop_id uuid not null references shop (id),
  -- The shop's, which never changes; here so that an order reads one module's tables.
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  title text not null check (length(title) between 1 and 120),
  description text not null default '' check (length(description) <= 4000),
  -- In the order shown; the first is the cover.
  image_ids uuid[] not null default '{}',
  -- [{ name, values: [{ value, swatch }] }] in the order shown; variants hold one value of each.
  options jsonb not null default '[]',
  state text not null check (state in ('draft', 'active', 'archived')),
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index product_shop on product (shop_id, state, created_at desc, id desc);

create table variant (
  id uuid primary key,
  product_id uuid not null references product (id),
  position integer not null check (position >= 0),
  option_values text[] not null default '{}',
  sku text not null check (length(sku) between 1 and 60),
  price_minor bigint not null check (price_minor between 0 and 9007199254740991),
  -- A variant that was once ordered is never deleted, only withdrawn.
  withdrawn boolean not null default false
);
create index variant_product on variant (product_id, position);
create unique index variant_options on variant (product_id, option_values) where not withdrawn;

-- Pieces that can be sold (available) and pieces set aside for unpaid orders (held). Apart from the variant,
-- because it is the hot row of a rush.
create table stock (
  variant_id uuid primary key references variant (id),
  available integer not null check (available >= 0),
  held integer not null default 0 check (held >= 0)
);

-- Every change of stock, append-only.
create table stock_move (
  id bigint generated always as identity primary key,
  variant_id uuid not null references variant (id),
  available_change integer not null,
  held_change integer not null,
  reason text not null check (reason in ('set', 'held', 'released', 'sold', 'returned')),
  order_id uuid,
  person_id uuid,
  created_at timestamptz not null
);
create index stock_move_variant on stock_move (variant_id, id);
comment on table stock_move is 'append-only';
