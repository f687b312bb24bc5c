/** SQL on `payment` and `payment_notice`. */
import { sql, type Selectable } from 'kysely';
import type { Db, Tx } from '../platform/database.ts';
import { insertRows, relationOf } from '../platform/relation.ts';
import type { Payment as PaymentTable, PaymentNotice as NoticeTable } from '../platform/tables.ts';
import type { NoticeKind } from './provider.ts';
import type { PaymentState } from './states.ts';

export type PaymentRow = Omit<Selectable<PaymentTable>, 'state'> & { state: PaymentState };

export async function insertPayments(tx: Tx, rows: readonly PaymentRow[]): Promise<void> {
  await insertRows(tx, 'payment', rows, PAYMENT_TYPES);
}

const PAYMENT_TYPES = {
  id: 'uuid', provider: 'text', subject: 'text', payer_id: 'uuid', amount_minor: 'bigint', currency: 'text',
  description: 'text', state: 'text', expires_at: 'timestamptz', refund_requested_at: 'timestamptz',
  created_at: 'timestamptz', updated_at: 'timestamptz', method: 'text',
} as const;

/** The rows, locked until the end of the transaction, by id; unknown ones are missing. */
export async function lockPayments(
  tx: Tx, by: { ids: readonly string[] } | { subjects: readonly string[] },
): Promise<PaymentRow[]> {
  const which = 'ids' in by ? sql`id = any (${by.ids}::uuid[])` : sql`subject = any (${by.subjects}::text[])`;
  const { rows } = await sql<PaymentRow>`
    select * from payment where ${which} order by id for update`.execute(tx);
  return rows;
}

export async function readPayment(db: Db, id: string): Promise<PaymentRow | null> {
  const row = await db.selectFrom('payment').selectAll().where('id', '=', id).executeTakeFirst();
  return (row as PaymentRow | undefined) ?? null;
}

export async function idsBySubject(db: Db, subjects: string[]): Promise<{ id: string; subject: string }[]> {
  if (subjects.length === 0) return [];
  return db.selectFrom('payment').select(['id', 'subject']).where('subject', 'in', subjects).execute();
}

const STATE_TYPES = {
  id: 'uuid', state: 'text', refund_requested_at: 'timestamptz', updated_at: 'timestamptz',
} as const;

/** Writes what may change of payments that are locked. */
export async function setStates(tx: Tx, payments: readonly PaymentRow[]): Promise<void> {
  if (payments.length === 0) return;
  await sql`
    update payment
       set state = relation.state, refund_requested_at = relation.refund_requested_at,
           updated_at = relation.updated_at
      from ${relationOf<Pick<PaymentRow, keyof typeof STATE_TYPES>>(payments, STATE_TYPES)}
     where payment.id = relation.id`.execute(tx);
}

/** Which of these notices are there already. */
export async function seenNotices(tx: Tx, provider: string, noticeIds: readonly string[]): Promise<Set<string>> {
  if (noticeIds.length === 0) return new Set();
  const { rows } = await sql<{ notice_id: string }>`
    select notice_id from payment_notice
     where provider = ${provider} and notice_id = any (${noticeIds}::text[])`.execute(tx);
  return new Set(rows.map((row) => row.notice_id));
}

const NOTICE_TYPES = {
  provider: 'text', notice_id: 'text', payment_id: 'uuid', kind: 'text', received_at: 'timestamptz',
} as const;

export async function insertNotices(
  tx: Tx, notices: ReadonlyArray<Selectable<NoticeTable> & { kind: NoticeKind }>,
): Promise<void> {
  if (notices.length > 0) await insertRows(tx, 'payment_notice', notices, NOTICE_TYPES);
}
