-- What a coupon takes off, for whom and how long. Nothing of it changes but `quota` (down), `claimed` and `ended_at`.
create table coupon (
  id uuid primary key,
  shop_id uuid not null references shop (id),
  -- Claimed only there, while it is live; null: on the shop's pages and in all its shows.
  show_id uuid references show (id),
  name text not null check (length(name) between 1 and 60),
  amount_minor bigint check (amount_minor between 1 and 100000000000),
  percent integer check (percent between 1 and 99),
  most_minor bigint check (most_minor between 1 and 100000000000),
  minimum_minor bigint not null check (minimum_minor between 0 and 100000000000),
  -- Null: for all goods of the shop.
  product_ids uuid[] check (cardinality(product_ids) between 1 and 100),
  currency text not null,
  quota integer not null check (quota between 0 and 1000000),
  claimed integer not null default 0 check (claimed between 0 and quota),
  valid_from timestamptz not null,
  valid_until timestamptz not null check (valid_until > valid_from),
  made_by uuid not null references person (id),
  made_at timestamptz not null,
  -- By the shop, before its time. What is claimed stays good.
  ended_at timestamptz,
  check ((amount_minor is null) <> (percent is null)),
  check (most_minor is null or percent is not null)
);
comment on table coupon is 'never-deleted';
create index coupon_shop on coupon (shop_id, valid_until);

-- Whose it is, once a person. Without foreign keys, as the other tables of a rush: nobody may delete a coupon or a
-- person.
create table coupon_claim (
  id uuid primary key,
  coupon_id uuid not null,
  person_id uuid not null,
  claimed_at timestamptz not null,
  -- The order that has it; null as long as none has.
  order_id uuid,
  constraint coupon_claim_once unique (coupon_id, person_id)
);
comment on table coupon_claim is 'never-deleted';
create index coupon_claim_person on coupon_claim (person_id, claimed_at);
create index coupon_claim_order on coupon_claim (order_id) where order_id is not null;

-- What the host hands out in a show just now.
create table coupon_handing (
  show_id uuid primary key references show (id),
  coupon_id uuid not null references coupon (id),
  handed_at timestamptz not null
);

-- Of the goods; the total is what is left of them, and sending. The coupon as it was: id, claimId, name.
alter table "order"
  add column discount_minor bigint not null default 0 check (discount_minor >= 0),
  add column coupon jsonb,
  add constraint order_coupon check ((coupon is not null) = (discount_minor > 0)),
  add constraint order_discount_leaves check (discount_minor = 0 or total_minor > shipping_minor);
-- The line's share of it.
alter table order_line
  add column discount_minor bigint not null default 0 check (discount_minor between 0 and unit_price_minor * quantity);
