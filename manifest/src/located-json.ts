// Reads JSON that people wrote by hand, and knows where in the text each value stands, so that a mistake can be told with
// its line. Stricter than JSON.parse: a member that is written twice is a mistake, and nesting is bounded.
import type { Problem } from './input-errors.ts';

export interface JsonNode {
  /** Where the value begins in the text. */
  readonly offset: number;
  readonly value: string | number | boolean | null | readonly JsonNode[] | JsonObject;
}
export type JsonObject = ReadonlyMap<string, JsonNode>;

export interface JsonMistake {
  readonly offset: number;
  readonly message: string;
}

const MAX_DEPTH = 32;
/** More than the largest seat map needs. */
const MAX_VALUES = 2_000_000;

/** The value of a text, or what is wrong with the text. */
export function parseJson(text: string): { readonly node: JsonNode } | { readonly mistake: JsonMistake } {
  try {
    return { node: new Scanner(text).whole() };
  } catch (error) {
    if (error instanceof Mistake) return { mistake: { offset: error.offset, message: error.message } };
    throw error;
  }
}

/** The line of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** How a mistake is told. */
export function notJson(text: string, { offset, message }: JsonMistake): Problem {
  return { line: lineAt(text, offset), message: `this is no JSON: ${message}` };
}

class Mistake extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

class Scanner {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
    if (text.startsWith('\uFEFF')) this.#at = 1;
  }

  whole(): JsonNode {
    const node = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('nothing may follow the end of the JSON text: remove this');
    return node;
  }

  #value(depth: number): JsonNode {
    this.#space();
    if (++this.#values > MAX_VALUES) this.#fail(`there are more than ${MAX_VALUES} values: write fewer`);
    const offset = this.#at;
    const mark = this.#text[offset];
    if (mark === '{') return { offset, value: this.#object(depth + 1) };
    if (mark === '[') return { offset, value: this.#list(depth + 1) };
    if (mark === '"') return { offset, value: this.#string() };
    return { offset, value: this.#plain() };
  }

  #plain(): number | boolean | null {
    for (const [word, value] of LITERALS) if (this.#skip(word)) return value;
    NUMBER.lastIndex = this.#at;
    const [number] =
      NUMBER.exec(this.#text) ?? this.#fail('expected a value: a text in double quotes, a number, { or [');
    this.#at += number.length;
    return Number(number);
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, JsonNode>();
    this.#open(depth);
    if (this.#skip('}')) return members;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('expected the name of a member, in double quotes');
      const offset = this.#at;
      const name = this.#string();
      if (members.has(name))
        throw new Mistake(offset, `the member ${JSON.stringify(name)} stands here twice: remove one`);
      this.#space();
      if (!this.#skip(':')) this.#fail('expected ":" after the name of a member');
      members.set(name, this.#value(depth));
      this.#space();
    } while (this.#skip(','));
    if (!this.#skip('}')) this.#fail('expected "," or "}"');
    return members;
  }

  #list(depth: number): readonly JsonNode[] {
    const items: JsonNode[] = [];
    this.#open(depth);
    if (this.#skip(']')) return items;
    do {
      items.push(this.#value(depth));
      this.#space();
    } while (this.#skip(','));
    if (!this.#skip(']')) this.#fail('expected "," or "]"');
    return items;
  }

  #open(depth: number): void {
    if (depth > MAX_DEPTH) this.#fail(`nested more than ${MAX_DEPTH} levels deep`);
    this.#at++;
    this.#space();
  }

  #string(): string {
    const start = this.#at;
    let isPlain = true;
    for (let at = start + 1; ; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return isPlain ? this.#text.slice(start + 1, at) : this.#unescape(start, at + 1);
      }
      if (!(code >= 0x20)) {
        throw new Mistake(start, 'this text does not end on its line: close it with a double quote');
      }
      if (code === 0x5c) {
        isPlain = false;
        at++;
      }
    }
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end)) as string;
    } catch {
      throw new Mistake(start, 'this text has a backslash that escapes nothing: write \\\\ for a backslash');
    }
  }

  #skip(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #fail(message: string): never {
    const found = this.#text[this.#at];
    throw new Mistake(
      this.#at,
      `${message}; found ${found === undefined ? 'the end of the text' : JSON.stringify(found)}`,
    );
  }
}
