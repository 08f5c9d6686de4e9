// A record of the statements that a ledger sends, as a text that people compare: every distinct statement in full,
// once, and then what was sent when, as the names of the statements with a hash of their parameters.
import { createHash } from 'node:crypto';

export interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

const WIDTH = 110;
/** Of the parameters of a statement's first use. */
const EXAMPLE_CHARS = 330;

interface Known {
  readonly name: string;
  readonly text: string;
  readonly example: readonly unknown[];
}

export class GoldenRecord {
  readonly #title: string;
  readonly #known = new Map<string, Known>();
  readonly #prepared = new Set<string>();
  readonly #sections: { readonly title: string; readonly lines: string[] }[] = [];
  #names = 0;
  #sent: Sent[] = [];

  constructor(title: string) {
    this.#title = title;
  }

  /** Its statements are numbered apart, so that a new one moves no number of another section. */
  section(title: string): void {
    this.#sections.push({ title, lines: [] });
    this.#names = 0;
  }

  /** A statement went out. */
  sent(text: string, values: readonly unknown[]): void {
    this.#sent.push({ text: tidied(text), values });
  }

  /** A statement was prepared, and may be sent later, or never. */
  prepared(text: string): void {
    this.#prepared.add(tidied(text));
  }

  /** Ends a line: all that was sent since the line before is this. */
  line(title: string): void {
    const uses = this.#sent.map((sent) => `${this.#nameOf(sent)}${hashOf(sent.values)}`);
    this.#sent = [];
    this.#sections.at(-1)!.lines.push(wrapped(`${title}: ${uses.join(' ') || 'nothing'}`, '    '));
  }

  /** The section's initial and a number: b12 is the twelfth that was first sent by a batch. */
  #nameOf({ text, values }: Sent): string {
    const known = this.#known.get(text);
    if (known) return known.name;
    const name = `${this.#sections.at(-1)!.title.charAt(0).toLowerCase()}${++this.#names}`;
    this.#known.set(text, { name, text, example: values });
    return name;
  }

  toString(): string {
    const texts = [...this.#known.values()].map(({ name, text, example }) => {
      const values = cut(JSON.stringify(example));
      const shown = example.length > 0 ? `\n    ${wrapped(`first with ${values}`, '      ')}` : '';
      return `${wrapped(`${name}. ${text}`, '    ')}${shown}`;
    });
    const unused = [...this.#prepared].filter((text) => !this.#known.has(text)).sort();
    const parts = [
      this.#title,
      'Every statement in full, named by where it was first sent; white space is made even. Further down, what was sent',
      'when, each with a hash of its parameters. Rewritten by: UPDATE_GOLDEN=1 npm test -- contract/golden',
      ...heading('Statements', texts),
      ...heading(
        'Prepared and not sent by anything below',
        unused.map((text) => wrapped(`- ${text}`, '    ')),
      ),
      ...this.#sections.flatMap(({ title, lines }) => heading(title, lines)),
    ];
    return `${parts.join('\n')}\n`;
  }
}

function heading(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `== ${title} ==`, ...lines];
}

function hashOf(values: readonly unknown[]): string {
  if (values.length === 0) return '';
  const hash = createHash('sha256').update(JSON.stringify(values.map(String)));
  return `#${hash.digest('hex').slice(0, 6)}`;
}

function cut(text: string): string {
  return text.length <= EXAMPLE_CHARS ? text : `${text.slice(0, EXAMPLE_CHARS)}…`;
}

/** The same white space whatever the source's line breaks; texts in quotes stay as they are. */
function tidied(sql: string): string {
  const even = (code: string) =>
    code.replace(/\s+/g, ' ').replace(/ ?, ?/g, ', ').replace(/\( /g, '(').replace(/ \)/g, ')');
  return sql
    .split(/('[^']*')/)
    .map((part, index) => (index % 2 === 0 ? even(part) : part))
    .join('')
    .trim();
}

/** In lines of at most that many characters, unless a word is longer. */
function wrapped(text: string, indent: string): string {
  const [first = '', ...words] = text.split(' ');
  const lines: string[] = [];
  let line = first;
  for (const word of words) {
    if (line.length + 1 + word.length <= WIDTH) {
      line += ` ${word}`;
    } else {
      lines.push(line);
      line = `${indent}${word}`;
    }
  }
  return [...lines, line].join('\n');
}
