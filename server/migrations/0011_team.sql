-- Teams: what a member of a shop may do follows from the role; whoever was a member so far stays an owner.
alter table shop_member drop constraint shop_member_role_check;
alter table shop_member
  add constraint shop_member_role_check check (role in ('owner', 'manager', 'host', 'packer'));

-- A link that lets one person into a shop, once. Only the SHA-256 of its token is kept.
create table shop_invitation (
  id uuid primary key,
  shop_id uuid not null references shop (id) on delete cascade,
  role text not null check (role in ('owner', 'manager', 'host', 'packer')),
  -- Whom it is for, as the inviter wrote it; it binds nobody.
  email text check (length(email) between 3 and 254),
  token_hash bytea not null unique,
  created_by uuid not null references person (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_by uuid references person (id) on delete set null,
  used_at timestamptz,
  revoked_at timestamptz,
  check (used_at is null or revoked_at is null)
);
create index shop_invitation_open on shop_invitation (shop_id, created_at desc)
  where used_at is null and revoked_at is null;

-- Who holds the stream key: it ends with the right to run the show.
alter table show add column stream_key_issued_to uuid references person (id) on delete set null;
