-- Pictures that people uploaded, re-encoded. The bytes lie in the blob store under image/<id>/<width>.webp.
create table image (
  id uuid primary key,
  uploader_id uuid references person (id) on delete set null,
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  -- Widths that exist, ascending, in pixels.
  widths integer[] not null,
  bytes bigint not null check (bytes > 0),
  created_at timestamptz not null
);
create index image_uploader on image (uploader_id, created_at);
