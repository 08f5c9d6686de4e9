// A record of the statements that a ledger sends, as a text that people compare: every distinct statement in full,
// once, and then what was sent when, as the numbers of the statements with a hash of their parameters.
import { createHash } from 'node:crypto';

export interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

const WIDTH = 110;
/** Of the parameters of a statement's first use. */
const EXAMPLE_CHARS = 330;

interface Known {
  readonly number: number;
  readonly text: string;
  readonly example: readonly unknown[];
}

export class GoldenRecord {
  readonly #title: string;
  readonly #known = new Map<string, Known>();
  readonly #prepared = new Set<string>();
  readonly #sections: { readonly title: string; readonly lines: string[] }[] = [];
  #sent: Sent[] = [];

  constructor(title: string) {
    this.#title = title;
  }

  section(title: string): void {
    this.#sections.push({ title, lines: [] });
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
    const uses = this.#sent.map((sent) => `${this.#numberOf(sent)}${hashOf(sent.values)}`);
    this.#sent = [];
    this.#sections.at(-1)!.lines.push(wrapped(`${title}: ${uses.join(' ') || 'nothing'}`, '    '));
  }

  #numberOf({ text, values }: Sent): number {
    const known = this.#known.get(text) ?? { number: this.#known.size + 1, text, example: values };
    this.#known.set(text, known);
    return known.number;
  }

  toString(): string {
    const texts = [...this.#known.values()].map(({ number, text, example }) => {
      const values = cut(JSON.stringify(example));
      const shown = example.length > 0 ? `\n    ${wrapped(`first with ${values}`, '      ')}` : '';
      return `${wrapped(`${number}. ${text}`, '    ')}${shown}`;
    });
    const unused = [...this.#prepared].filter((text) => !this.#known.has(text)).sort();
    const parts = [
      this.#title,
      'Every statement in full, numbered by first use; white space is made even. Further down, the numbers of what was',
      'sent, each with a hash of its parameters. Rewritten by: UPDATE_GOLDEN=1 npm test -- contract/golden',
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

/** In lines of at most so many characters, unless a word is longer. */
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
