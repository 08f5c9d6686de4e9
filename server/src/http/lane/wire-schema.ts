// JSON Schema (2020-12, as OpenAPI 3.1 has it) of what goes over the wire, made from the schemas of contract/.
import { type ZodType, z } from 'zod';
import { wireForms } from '../../contract/values.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Named schemas: those with an id. Filled by {@link WireSchemas.of}. */
export class WireSchemas {
  readonly named: Record<string, JsonSchema> = {};

  /** The schema, with references to named ones. `input`: as a client sends it; `output`: as it is answered. */
  of(schema: ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema: _, $defs = {}, ...made } = jsonSchemaOf(schema, io);
    for (const [name, definition] of Object.entries($defs as Record<string, JsonSchema>)) {
      this.named[name] = toComponents(definition);
    }
    return toComponents(made);
  }
}

function jsonSchemaOf(schema: ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const form = wireForms.get(zodSchema);
      if (form !== undefined) {
        for (const member of Object.keys(jsonSchema)) delete jsonSchema[member];
        const { $schema: _, ...as } = jsonSchemaOf(form, io);
        Object.assign(jsonSchema, as);
      }
      // A list whose length is judged before its items: `array(unknown)` piped into the list of what they are.
      const { def } = zodSchema._zod;
      if (def.type === 'pipe' && def.out instanceof z.ZodArray && jsonSchema.type === 'array') {
        const { $schema: _, ...items } = jsonSchemaOf(def.out.element as ZodType, io);
        jsonSchema.items = items;
      }
      // What a double can count to is no rule of ours.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      // Members may be added to answers at any time: a client must not refuse one that it does not know.
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      delete jsonSchema.mediaType;
    },
  }) as JsonSchema;
}

/** Definitions of one schema become components of the document. */
function toComponents<Value>(value: Value): Value {
  const text = JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as Value;
}
