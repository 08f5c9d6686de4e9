// The Lua scripts, read once when the program starts. What they share (`lua/book.lua`) stands before each that needs it.
import { readFileSync } from 'node:fs';
import { type Script, script } from '../../drivers/redis/script.ts';

export type ScriptName =
  | 'take'
  | 'take-seats'
  | 'settle'
  | 'settle-seats'
  | 'give-back'
  | 'give-back-seats'
  | 'repair'
  | 'repair-seats'
  | 'counts'
  | 'counts-seats'
  | 'open'
  | 'load'
  | 'grow';
export type Scripts = Readonly<Record<ScriptName, Script>>;

const BOOK = read('book');
const GENERAL = read('general-admission');
const SEATS = read('seats');

export const SCRIPTS: Scripts = {
  take: script(BOOK + GENERAL + read('take')),
  'take-seats': script(BOOK + SEATS + GENERAL + read('find-seats') + read('take-seats')),
  settle: script(BOOK + read('settle')),
  'settle-seats': script(BOOK + SEATS + read('settle')),
  'give-back': script(BOOK + read('give-back')),
  'give-back-seats': script(BOOK + SEATS + read('give-back')),
  repair: script(BOOK + read('repair')),
  'repair-seats': script(BOOK + SEATS + read('repair')),
  counts: script(BOOK + read('counts')),
  'counts-seats': script(BOOK + SEATS + read('counts')),
  open: script(read('open')),
  load: script(read('load')),
  grow: script(read('grow')),
};

/** Ends a lock: not of an event. */
export const UNLOCK = script(read('unlock'));

function read(name: string): string {
  return readFileSync(new URL(`../lua/${name}.lua`, import.meta.url), 'utf8');
}
