// Reads the project's source files as far as the structure checks need them: what a file imports, and its code
// without comments and texts. A few regular expressions do, because Biome has formatted the files before.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Import {
  readonly specifier: string;
  /** From the project's root, when the import names a file of the project. */
  readonly target: string | undefined;
  readonly line: number;
}

export interface SourceFile {
  /** From the project's root, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** The code, with comments, strings, templates and regular expressions blanked, line for line. */
  readonly code: string;
}

/** Where a workspace lies, by its package name: `@floodgate/core` → `core`. */
export type Packages = ReadonlyMap<string, string>;

const SOURCE = /(?<!\.d)\.[cm]?[jt]sx?$/;
const NOT_OURS = new Set(['node_modules', 'data', 'dist', 'results']);

/** Reads every source file below the root, sorted by path. */
export function readSources(root: string): SourceFile[] {
  const packages = readPackages(root);
  return listSources(root, '').map((file) =>
    parseSource(file, readFileSync(path.join(root, file), 'utf8'), packages),
  );
}

/** The workspaces of the root's package.json. */
export function readPackages(root: string): Packages {
  const workspaces: string[] = readJson(path.join(root, 'package.json')).workspaces ?? [];
  return new Map(workspaces.map((dir) => [readJson(path.join(root, dir, 'package.json')).name, dir]));
}

function readJson(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function listSources(root: string, dir: string): string[] {
  const entries = readdirSync(path.join(root, dir), { withFileTypes: true });
  return entries
    .filter((entry) => !entry.name.startsWith('.') && !NOT_OURS.has(entry.name))
    .flatMap((entry) => {
      const child = path.posix.join(dir, entry.name);
      if (entry.isDirectory()) return listSources(root, child);
      return entry.isFile() && SOURCE.test(entry.name) ? [child] : [];
    })
    .sort();
}

// A regular expression is told from a division by what stands before it.
const REGEXP =
  /(?<=(?:^|[=(,:;!&|?{}[]|\breturn|=>)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/;
const TEMPLATE = /`(?:\\[\s\S]|[^\\`])*`/;
const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/;
const UNREAD = new RegExp([COMMENT, REGEXP, TEMPLATE, STRING].map((each) => each.source).join('|'), 'g');

/** `import … from '…'`, `export … from '…'`, `import '…'`, `import('…')`, `new URL('./…', import.meta.url)`. */
const IMPORT =
  /^(?:import|export)\b[^'";()=]*?\bfrom\s*['"]([^'"]+)|^import\s*['"]([^'"]+)|\bimport\(\s*['"]([^'"]+)|\bnew URL\(\s*['"](\.[^'"]+)['"],\s*import\.meta\.url/gm;

/** Scans one file's text. */
export function parseSource(file: string, text: string, packages: Packages): SourceFile {
  const isString = (token: string) => token.startsWith("'") || token.startsWith('"');
  const withStrings = text.replace(UNREAD, (token) => (isString(token) ? token : blank(token)));
  const code = withStrings.replace(UNREAD, blank);
  const isCode = ({ index }: RegExpExecArray) => code[index] === withStrings[index];
  const imports = [...withStrings.matchAll(IMPORT)].filter(isCode).map((match): Import => {
    const specifier = match.slice(1).find((group) => group !== undefined)!;
    return { specifier, target: resolve(file, specifier, packages), line: lineAt(withStrings, match.index) };
  });
  return { path: file, lines: text.replace(/\n$/, '').split('\n').length, imports, code };
}

function blank(token: string): string {
  return token.replace(/[^\n]/g, ' ');
}

/** The line of a place in a text, from 1. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function resolve(file: string, specifier: string, packages: Packages): string | undefined {
  if (specifier.startsWith('.')) return path.posix.join(path.posix.dirname(file), specifier);
  const [, name, rest] = /^(@[^/]+\/[^/]+|[^@/][^/]*)\/(.+)$/.exec(specifier) ?? [];
  const dir = name === undefined ? undefined : packages.get(name);
  return dir === undefined ? undefined : `${dir}/src/${rest}`;
}
