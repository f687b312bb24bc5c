-- What a shop says of returns and of the time until it ships; empty: nothing.
alter table shop
  add column terms_returns text not null default '' check (length(terms_returns) <= 1000),
  add column terms_shipping text not null default '' check (length(terms_shipping) <= 1000);

-- Orders of a show that were placed, as orders told.
alter table show add column placed_orders integer not null default 0 check (placed_orders >= 0);

-- What many orders were promised alike (the cards of the goods, the shop's terms, the show), as canonical JSON
-- (RFC 8785), once under its SHA-256. Here and below bodies are text, not jsonb: the bytes must stay those of which the
-- hash was taken.
create table promise_offer (
  sha256 bytea primary key check (sha256 = sha256(convert_to(body, 'UTF8'))),
  body text not null
);
comment on table promise_offer is 'append-only';

-- What each order was promised: its own part, and the offer. `sha256` is that of the whole document, which
-- orders/promise.ts puts together. Without foreign keys, as the other tables of a rush: no offer ever goes.
create table order_promise (
  order_id uuid primary key,
  offer_sha256 bytea not null,
  body text not null,
  sha256 bytea not null check (length(sha256) = 32)
);
comment on table order_promise is 'append-only';
