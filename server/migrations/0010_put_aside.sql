-- What a viewer has put aside in a show and not taken back. How many ever did is counted in `interest`.
create table put_aside (
  show_id uuid not null references show (id) on delete cascade,
  -- person/<uuid> or guest/<id>
  viewer text not null,
  product_id uuid not null references product (id),
  at timestamptz not null,
  primary key (show_id, viewer, product_id)
);
