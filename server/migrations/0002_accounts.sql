-- People. person, session, credential and verification are better-auth's models under our names.
create table person (
  id uuid primary key,
  name text not null check (length(name) between 1 and 80),
  email text not null unique,
  email_verified boolean not null default false,
  image text,
  locale text not null default 'en',
  time_zone text not null default 'UTC',
  is_operator boolean not null default false,
  -- A demo account may only be used from the machine itself.
  is_demo boolean not null default false,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table session (
  id uuid primary key,
  expires_at timestamptz not null,
  token text not null unique,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  ip_address text,
  user_agent text,
  person_id uuid not null references person (id) on delete cascade
);
create index session_person on session (person_id);

create table credential (
  id uuid primary key,
  account_id text not null,
  provider_id text not null,
  person_id uuid not null references person (id) on delete cascade,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  password text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index credential_person on credential (person_id);

create table verification (
  id uuid primary key,
  identifier text not null,
  value text not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index verification_identifier on verification (identifier);

-- A person's address book. Orders keep a copy of their own.
create table address (
  id uuid primary key,
  person_id uuid not null references person (id) on delete cascade,
  details jsonb not null,
  created_at timestamptz not null
);
create index address_person on address (person_id, created_at desc);
