-- A picture of a product as it was shown: taken by the host's browser from its camera when the product came on screen.
create table poster (
  show_id uuid not null references show (id) on delete cascade,
  product_id uuid not null references product (id),
  image_id uuid not null references image (id),
  taken_at timestamptz not null,
  primary key (show_id, product_id)
);
