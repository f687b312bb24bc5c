-- What a shop takes for sending, and carts.

-- Of a parcel, in minor units of the shop's currency. From a sum of goods on it is free; null: never.
alter table shop add column shipping_fee_minor bigint not null default 0
  check (shipping_fee_minor between 0 and 100000000000);
alter table shop add column free_shipping_from_minor bigint
  check (free_shipping_from_minor between 1 and 9007199254740991);

-- Part of the total.
alter table "order" add column shipping_minor bigint not null default 0;
alter table "order" add constraint order_shipping_in_total check (shipping_minor between 0 and total_minor);
-- The order with which this one is sent, which paid for both.
alter table "order" add column ships_with uuid;
create index order_parcels_to_join on "order" (buyer_id, shop_id, show_id)
  where delivery = 'parcel' and state in ('held', 'paid');

create table cart (
  person_id uuid primary key references person (id) on delete cascade,
  -- Goes up with every change, so that a page knows the newer of two answers.
  version bigint not null
);

create table cart_line (
  person_id uuid not null references cart on delete cascade,
  variant_id uuid not null references variant,
  shop_id uuid not null references shop,
  -- Where it was last put in; null outside a show.
  show_id uuid references show,
  quantity integer not null check (quantity between 1 and 99),
  -- The price that the person saw when they last decided.
  seen_price_minor bigint not null check (seen_price_minor between 0 and 9007199254740991),
  put_at timestamptz not null,
  primary key (person_id, variant_id)
);

-- What was put in lately, so that the same putting sent again does nothing and is answered alike.
create table cart_put (
  person_id uuid not null references cart on delete cascade,
  put_id text not null,
  -- Pieces for which there was no room.
  no_room jsonb not null,
  put_at timestamptz not null,
  primary key (person_id, put_id)
);

-- Names the next purchase from one shop; another one once it has become an order.
create table cart_key (
  person_id uuid not null references cart on delete cascade,
  shop_id uuid not null references shop,
  idempotency_key text not null,
  primary key (person_id, shop_id)
);
