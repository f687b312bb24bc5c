-- The longest time that a product was on screen in a show that can be seen again. Places in the recording, in ms.
create table clip (
  id uuid primary key,
  show_id uuid not null references recording (show_id) on delete cascade,
  product_id uuid not null references product (id),
  from_ms bigint not null check (from_ms >= 0),
  to_ms bigint not null,
  created_at timestamptz not null,
  check (to_ms > from_ms),
  unique (show_id, product_id)
);
create index clip_of_product on clip (product_id, created_at desc);
