-- A payment knows what it is for only by subject; orders reacts to what becomes of it.
create table payment (
  id uuid primary key,
  provider text not null,
  -- order/<uuid>
  subject text not null unique,
  payer_id uuid not null references person (id),
  amount_minor bigint not null check (amount_minor between 0 and 9007199254740991),
  currency char(3) not null,
  -- What it is for, in a line for the payer; no language in it, such as "N-1042 · Shop".
  description text not null check (length(description) between 1 and 200),
  state text not null check (state in ('pending', 'processing', 'captured', 'declined', 'cancelled', 'refunded')),
  expires_at timestamptz not null,
  -- Money that came too late is given back by a job; until that has succeeded the state stays captured.
  refund_requested_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (refund_requested_at is null or state in ('captured', 'refunded'))
);
create index payment_payer on payment (payer_id);

-- What a provider told us, each notice once, append-only.
create table payment_notice (
  provider text not null,
  notice_id text not null check (length(notice_id) between 1 and 200),
  payment_id uuid not null references payment (id),
  kind text not null check (kind in ('captured', 'declined')),
  received_at timestamptz not null,
  primary key (provider, notice_id)
);
create index payment_notice_payment on payment_notice (payment_id);
comment on table payment_notice is 'append-only';
