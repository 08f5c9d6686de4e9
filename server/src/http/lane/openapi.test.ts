// The API document: valid by its own standard, complete, and with examples that work.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ZodObject, ZodRawShape } from 'zod';
import { exampleOf } from '../../contract/values.ts';
import { allOperations } from '../doors/doors.ts';
import { contentsOf } from './described.ts';
import { apiDocument, templateOf } from './openapi.ts';

const none = undefined as never;
const operations = allOperations(none, none);
const document = apiDocument(operations);

const describedAt = (operation: (typeof operations)[number]) =>
  document.paths[templateOf(operation)]![operation.method.toLowerCase()] as {
    readonly operationId: string;
    readonly responses: Readonly<Record<string, { readonly $ref?: string }>>;
    readonly parameters?: readonly { readonly name: string; readonly in: string }[];
    readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
    readonly security: readonly object[];
  };

/** Every value in a tree of JSON under this name. */
function* all(name: string, tree: unknown): Generator<unknown> {
  if (typeof tree !== 'object' || tree === null) return;
  for (const [key, value] of Object.entries(tree)) {
    if (key === name) yield value;
    yield* all(name, value);
  }
}

describe('the API document', () => {
  test('[F20] it is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
    assert.ok(valid, JSON.stringify(errors, null, 1));
  });

  test('[F20] it has every operation with every status, parameter and body, and each a name of its own', () => {
    const ids = new Set<string>();
    for (const operation of operations) {
      const described = describedAt(operation);
      const statuses = Object.keys(described.responses).map(Number);
      assert.deepEqual(statuses, [...contentsOf(operation).keys()], operation.name);
      const inPath = operation.path.match(/:\w+/g) ?? [];
      const named = described.parameters?.filter((parameter) => parameter.in === 'path') ?? [];
      assert.deepEqual(
        named.map(({ name }) => `:${name}`),
        inPath,
        operation.name,
      );
      assert.equal(described.requestBody !== undefined, operation.body !== 'none', operation.name);
      assert.equal(described.security.length, operation.roles ? 1 : 3, operation.name);
      assert.ok(!ids.has(described.operationId), described.operationId);
      ids.add(described.operationId);
    }
  });

  test('every reference in it leads somewhere', () => {
    for (const ref of all('$ref', document)) {
      const steps = (ref as string).slice('#/'.length).split('/');
      const found = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)?.[step], document);
      assert.notEqual(found, undefined, String(ref));
    }
  });

  test('nothing in it is left without a description of its shape', () => {
    const loose = operations.filter((operation) => {
      const body = describedAt(operation).requestBody?.content ?? {};
      return Object.values(body).some(({ schema }) => Object.keys(schema).length === 0);
    });
    assert.deepEqual(
      loose.map(({ name }) => name),
      [],
    );
  });

  test('every example is taken by the door, and by the document', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(document as object, 'openapi.json');
    const names: string[] = [];
    for (const operation of operations) {
      const { body } = (operation.input as ZodObject<ZodRawShape>).shape as ZodRawShape;
      const example = body && exampleOf(body as never);
      if (example === undefined) continue;
      names.push(operation.name);
      assert.ok((body as ZodObject).safeParse(example).success, operation.name);
      const { schema } = describedAt(operation).requestBody!.content['application/json']!;
      assert.ok(ajv.validate(schema, example), `${operation.name}: ${ajv.errorsText()}`);
    }
    assert.ok(names.length >= 7, names.join(', '));
  });
});
