-- A payment knows what it is for only by subject; orders reacts to what becomes of it.
create table payment (
  id uuid primary key,
  provider text not null,
  -- order/<uuid>
  subject text not null unique,
  payer_id uuid not null references person (id),
  amount_minor bigint not null check (amount_minor >= 0),
  currency char(3) not null,
  state text not null check (state in ('pending', 'processing', 'captured', 'declined', 'cancelled', 'refunded')),
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- What a provider told us, each notice once, append-only.
create table payment_notice (
  provider text not null,
  notice_id text not null,
  payment_id uuid not null references payment (id),
  kind text not null check (kind in ('captured', 'declined')),
  received_at timestamptz not null,
  primary key (provider, notice_id)
);
comment on table payment_notice is 'append-only';
