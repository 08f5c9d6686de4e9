// The watch over answers sees what it is for: each of these is one step away from an answer that passes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { mediaTypeOf } from '../../src/contract/answers.ts';
import { allOperations } from '../../src/http/doors/doors.ts';
import { answersOf } from '../../src/http/lane/described.ts';
import { operation } from '../../src/http/lane/operation.ts';
import { problem } from '../../src/http/lane/problem.ts';
import { type Answered, whyNot } from './answers.ts';

const ID = '730000000000000001';
const TICKET = { ticketId: '0', ticketType: 'ga', label: 'General 1' };
const BOUGHT = {
  ...{ success: true, eventId: '1', orderId: ID, secret: 'x'.repeat(22) },
  ...{ tickets: [TICKET], ledgerSeq: 2 },
};
const answered = (body: unknown, more: Partial<Answered> = {}): Answered => ({
  ...{ method: 'POST', target: '/buy/1?from=poster', status: 201, contentType: 'application/json' },
  text: JSON.stringify(body),
  ...more,
});
const refused = (code: Parameters<typeof problem>[0], members: object = {}): Answered => {
  const { status, body } = problem(code, 'r-1');
  const told = { ...(body as object), ...members };
  return answered(told, { status, contentType: 'application/problem+json' });
};

test('an answer as it is declared passes, by either method and of every kind', () => {
  const none = { status: 304, contentType: undefined, text: '' };
  const passing: Answered[] = [
    answered(BOUGHT),
    refused('SOLD_OUT', { seatsRemaining: 0 }),
    refused('EVENT_NOT_FOUND'),
    refused('VALIDATION_FAILED', { fields: { body: 'is wrong' } }),
    refused('UNAVAILABLE', { retryAfterMs: 1 }),
    answered(undefined, { ...none, method: 'GET', target: '/api/v1/events/1/seats' }),
    answered({ status: 'live' }, { method: 'GET', status: 200, target: '/health/live' }),
    answered(undefined, { method: 'HEAD', status: 200, target: '/health/live', text: '' }),
    { ...refused('NOT_FOUND'), target: '/nowhere' },
    { ...refused('METHOD_NOT_ALLOWED'), target: '/health' },
    answered(undefined, {
      ...{ method: 'GET', status: 200, target: '/metrics', text: 'floodgate_faults_total 0' },
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
    }),
  ];
  for (const answer of passing) assert.equal(whyNot(answer), undefined);
});

test('a member, a status, a code or a media type that is not declared is found', () => {
  const wrong: Answered[] = [
    answered({ ...BOUGHT, apiKey: 'k' }),
    answered({ ...BOUGHT, tickets: [{ ...TICKET, buyer: 'ann' }] }),
    answered({ ...BOUGHT, ledgerSeq: undefined }),
    answered(BOUGHT, { status: 200 }),
    answered(BOUGHT, { contentType: 'application/problem+json' }),
    answered(BOUGHT, { contentType: undefined }),
    refused('HOLD_EXPIRED'),
    refused('EVENT_NOT_FOUND', { seatsRemaining: 1 }),
    refused('UNAVAILABLE'),
    refused('SOLD_OUT', { status: 404 }),
    { ...refused('SOLD_OUT'), target: '/health/live' },
    { ...refused('EVENT_NOT_FOUND'), target: '/nowhere' },
    // The flash purchase promises two members more.
    { ...refused('SOLD_OUT'), target: '/api/v1/flash/purchase' },
    answered({ status: 'live' }, { method: 'HEAD', status: 200, target: '/health/live' }),
  ];
  for (const answer of wrong) assert.notEqual(whyNot(answer), undefined, JSON.stringify(answer));
});

const OPERATIONS = allOperations(undefined as never, undefined as never);

test('every operation declares an answer that grants, and each "no" under its own status', () => {
  const names = new Set<string>();
  for (const each of OPERATIONS) {
    assert.ok(!names.has(each.name), `twice: ${each.name}`);
    names.add(each.name);
    const statuses = [...answersOf(each).keys()];
    assert.ok(
      statuses.some((status) => status < 300),
      each.name,
    );
    assert.ok(statuses.includes(500) && statuses.includes(503), each.name);
  }
  const misplaced = operation({
    summary: 'Try something',
    tag: 'Operation',
    ...{ name: 'misplaced', method: 'GET', path: '/', input: z.object({}) },
    answers: { 404: { codes: ['SOLD_OUT'] } },
    run: () => ({ kind: 'json', status: 200, body: {} }),
  });
  assert.throws(() => answersOf(misplaced), /SOLD_OUT has the status 409/);
});

test('every input and answer can be told as JSON Schema, as OpenAPI needs it', () => {
  for (const each of OPERATIONS) {
    assert.ok(z.toJSONSchema(each.input, { io: 'input', unrepresentable: 'any' }).properties, each.name);
    for (const [status, schemas] of answersOf(each)) {
      if (status === 304) continue;
      for (const schema of schemas) {
        assert.notDeepEqual(z.toJSONSchema(schema), {}, `${each.name} ${status} ${mediaTypeOf(schema)}`);
      }
    }
  }
});
