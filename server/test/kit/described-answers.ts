// Answers held against the API document itself, by another library than the one whose schemas it is made of: what the
// document says is then known to be what a client's own tools would read in it.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type ApiDocument, apiDocument, templateOf } from '../../src/http/lane/openapi.ts';
import type { Operation } from '../../src/http/lane/operation.ts';

interface Response {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

export class DescribedAnswers {
  readonly #document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(operations: readonly Operation[]) {
    this.#document = apiDocument(operations);
    this.#ajv.addSchema(this.#document as object, 'openapi.json');
  }

  /** What the document has against such an answer; undefined when it describes it. `content`: parsed, if it is JSON. */
  objection(
    operation: Operation,
    status: number,
    contentType: string | undefined,
    content: unknown,
  ): string | undefined {
    const steps = [
      'paths',
      templateOf(operation),
      operation.method.toLowerCase(),
      'responses',
      String(status),
    ];
    const { pointer, response } = this.#resolve(steps);
    if (response === undefined) return `the document has no ${status}`;
    if (response.content === undefined) {
      return content === undefined ? undefined : `the document has no content for ${status}`;
    }
    if (contentType === undefined || response.content[contentType] === undefined) {
      return `the document has no ${contentType} for ${status}`;
    }
    const validate = this.#validatorAt([...pointer, 'content', contentType, 'schema']);
    return validate(content) ? undefined : `the document says: ${this.#ajv.errorsText(validate.errors)}`;
  }

  #resolve(pointer: readonly string[]): { pointer: readonly string[]; response: Response | undefined } {
    const response = pointer.reduce<unknown>(
      (at, step) => (at as Record<string, unknown> | undefined)?.[step],
      this.#document,
    ) as Response | undefined;
    if (response?.$ref === undefined) return { pointer, response };
    return this.#resolve(response.$ref.slice('#/'.length).split('/'));
  }

  #validatorAt(pointer: readonly string[]): ValidateFunction {
    const escaped = pointer.map((step) =>
      encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')),
    );
    const $ref = `openapi.json#/${escaped.join('/')}`;
    let known = this.#validators.get($ref);
    if (!known) {
      known = this.#ajv.compile({ $ref });
      this.#validators.set($ref, known);
    }
    return known;
  }
}
