/** What payments tells the others, through the outbox. `subject` is what `create` was given: `order/<uuid>`. */
export interface PaymentFact {
  paymentId: string;
  subject: string;
}

/** One fact for a batch; one payment, as it is, in what an earlier version wrote. */
export type PaymentsFact = { payments: PaymentFact[] } | PaymentFact;

/**
 * `payments.captured`: the money is there, in time or, if the payment had been expired, too late: who asked for it
 * decides. `payments.declined`: the payer's bank, or the payer, said no; final. `payments.refunded`: all of it went
 * back.
 */
export interface PaymentFacts {
  'payments.captured': PaymentsFact;
  'payments.declined': PaymentsFact;
  'payments.refunded': PaymentFact;
}
