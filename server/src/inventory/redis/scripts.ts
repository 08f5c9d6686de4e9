// The Lua scripts, read once when the program starts. What they share (`lua/book.lua`) stands before each that needs it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export type ScriptName = 'take' | 'settle' | 'give-back' | 'repair' | 'counts' | 'open' | 'load' | 'unlock';
export type Scripts = Readonly<Record<ScriptName, Script>>;

const BOOK = read('book');

export const SCRIPTS: Scripts = {
  take: script(BOOK + read('take')),
  settle: script(BOOK + read('settle')),
  'give-back': script(BOOK + read('give-back')),
  repair: script(BOOK + read('repair')),
  counts: script(BOOK + read('counts')),
  open: script(read('open')),
  load: script(read('load')),
  unlock: script(read('unlock')),
};

export function script(text: string): Script {
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

function read(name: string): string {
  return readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), 'utf8');
}
