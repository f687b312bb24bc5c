create table chat_message (
  id uuid primary key,
  show_id uuid not null references show (id) on delete cascade,
  person_id uuid not null references person (id) on delete cascade,
  -- The sender's name at that moment.
  name text not null check (length(name) between 1 and 80),
  -- Chosen by the sender's page so that a message sent again after a lost answer appears once.
  client_id text not null check (length(client_id) between 8 and 64),
  text text not null check (length(text) between 1 and 200),
  is_host boolean not null,
  sent_at timestamptz not null,
  removed_at timestamptz,
  removed_by uuid references person (id) on delete set null,
  unique (person_id, client_id)
);
create index chat_show on chat_message (show_id, sent_at desc, id desc) where removed_at is null;
