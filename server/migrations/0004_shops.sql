create table shop (
  id uuid primary key,
  -- The address in the URL: lower-case letters, digits and single hyphens.
  slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) between 3 and 40),
  name text not null check (length(name) between 1 and 60),
  story text not null default '' check (length(story) <= 2000),
  image_id uuid references image (id),
  region text not null check (length(region) between 1 and 60),
  category text not null,
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  is_demo boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index shop_created on shop (created_at desc, id desc);

create table shop_member (
  shop_id uuid not null references shop (id) on delete cascade,
  person_id uuid not null references person (id) on delete cascade,
  role text not null check (role in ('owner')),
  created_at timestamptz not null,
  primary key (shop_id, person_id)
);
create index shop_member_person on shop_member (person_id);

create table follow (
  shop_id uuid not null references shop (id) on delete cascade,
  person_id uuid not null references person (id) on delete cascade,
  created_at timestamptz not null,
  -- The show in which the person pressed Follow, if any: the host sees what a show brought.
  show_id uuid,
  primary key (shop_id, person_id)
);
create index follow_person on follow (person_id, created_at desc);
create index follow_show on follow (show_id) where show_id is not null;
