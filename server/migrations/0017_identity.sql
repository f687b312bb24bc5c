-- Ways to sign in besides e-mail and password. Whoever has no e-mail has a telephone number.
alter table person alter column email drop not null;
-- E.164 (ITU-T): a plus, the country, 15 digits at most.
alter table person add column phone text unique check (phone ~ '^\+[1-9][0-9]{6,14}$');
alter table person add constraint person_is_reached check (email is not null or phone is not null);

-- The newest code that was sent to a number for one browser or person. Only an HMAC of it is kept.
create table phone_code (
  phone text not null,
  -- Who may use it, as `viewerOf` names them.
  asked_by text not null,
  code_hash bytea not null,
  tries smallint not null default 0,
  expires_at timestamptz not null,
  primary key (phone, asked_by)
);
create index phone_code_expires on phone_code (expires_at);

create table passkey (
  id uuid primary key,
  person_id uuid not null references person (id) on delete cascade,
  name text not null check (length(name) between 1 and 80),
  -- As the authenticator names it, base64url.
  credential_id text not null unique check (length(credential_id) <= 1400),
  -- COSE_Key (RFC 9052).
  public_key bytea not null,
  -- Signature counter; stays 0 where the authenticator does not count.
  counter bigint not null,
  transports text[] not null,
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkey_person on passkey (person_id);

-- Another e-mail: mailed as a link to the new one; then the old one is told, with a link to undo it.
create table email_change (
  id uuid primary key,
  person_id uuid not null references person (id) on delete cascade,
  -- The session that asked, which stays signed in.
  session_id uuid not null,
  new_email text not null,
  old_email text,
  token_hash bytea not null unique,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  undo_hash bytea unique,
  undo_until timestamptz
);
create index email_change_person on email_change (person_id);
-- Nobody takes an address that its owner may still ask back.
create index email_change_old on email_change (old_email) where undo_until is not null;

-- The link of a mailed invitation, made when it is mailed; that which the inviter was shown works too.
alter table shop_invitation add column mail_token_hash bytea unique;
create index shop_invitation_mailed on shop_invitation (lower(email), created_at) where email is not null;
create index shop_invitation_mailed_by on shop_invitation (created_by, created_at) where email is not null;
