/** Payments over HTTP: what the payer's page needs. */
import { Id } from '@nacre/contract/common';
import { Payment, SandboxDecision } from '@nacre/contract/orders';
import { Type } from 'typebox';
import { personOf } from '../http/actor.ts';
import type { App } from '../http/app.ts';
import { refusals } from '../http/openapi.ts';
import type { Payments } from './payments.ts';

const params = Type.Object({ paymentId: Id });
const tags = ['payments'];

export function paymentsRoutes(app: App, deps: { payments: Payments }): void {
  const { payments } = deps;

  app.get(
    '/api/payments/:paymentId',
    {
      schema: {
        operationId: 'getPayment',
        summary: 'A payment of one’s own',
        tags,
        params,
        response: { 200: Payment, ...refusals },
      },
    },
    async (request) => payments.get(personOf(request).personId, request.params.paymentId),
  );

  app.post(
    '/api/payments/:paymentId/sandbox',
    {
      schema: {
        operationId: 'decideSandboxPayment',
        summary: 'The payer’s choice on the sandbox’s page; `slow` succeeds after about 20 seconds',
        tags,
        params,
        body: SandboxDecision,
        response: { 200: Payment, ...refusals },
      },
    },
    async (request) =>
      payments.decide(personOf(request).personId, request.params.paymentId, request.body.outcome),
  );
}
