// Every setting once: its environment name, type, default and one line of help. Nothing else reads the environment.
import { randomBytes, randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { MAX_NODE_ID } from '@floodgate/core/ids.ts';
import { z } from 'zod';

const wholeNumber = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= from && value <= to, `must be from ${from} to ${to}`);

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What the operator can set, in the order of the README and .env.example. An empty value counts as unset. */
export const SETTINGS = {
  PORT: { help: 'port to serve on; 0 takes a free one', value: wholeNumber(0, 65_535).default(3000) },
  HOST: { help: 'address to serve on; unset: all', value: z.string().optional() },
  DATABASE_URL: {
    help: 'the ledger: sqlite:<file>',
    value: z
      .string()
      .regex(/^sqlite:.+/, 'must be sqlite:<file>; PostgreSQL and MySQL are not supported yet')
      .default('sqlite:data/floodgate.db'),
  },
  API_KEY: {
    help: 'the admin key (at least 16 characters); required in production, else made and printed at start',
    // What a header cannot carry could never be sent.
    value: z
      .string()
      .regex(/^[\x21-\x7e]{16,}$/, 'must be at least 16 printable ASCII characters, without spaces')
      .optional(),
  },
  HOLD_TTL_SECONDS: { help: 'how long a hold keeps its tickets', value: wholeNumber(1, 86_400).default(300) },
  DEFAULT_EVENT: {
    help: 'the event of /api/v1/event and /api/v1/purchase; unset: the first',
    value: z.string().optional(),
  },
  SEED_EVENTS: {
    help: 'demo events made when the ledger is empty',
    value: wholeNumber(0, 10_000).default(3),
  },
  SEED_TICKETS: { help: 'tickets of each demo event', value: wholeNumber(1, 50_000_000).default(10_000) },
  NODE_ID: {
    help: `number of this process in its ids, 0 to ${MAX_NODE_ID}; unset: random`,
    value: wholeNumber(0, MAX_NODE_ID).optional(),
  },
  LOG_LEVEL: { help: `one of ${LOG_LEVELS.join(', ')}`, value: z.enum(LOG_LEVELS).default('info') },
  NODE_ENV: { help: '"production" makes missing secrets an error', value: z.string().default('development') },
} as const;

export interface Config {
  readonly port: number;
  readonly host: string | undefined;
  /** Absolute path of the SQLite ledger. */
  readonly ledgerFile: string;
  readonly apiKey: string;
  /** Whether the key was made for this run, so that it may be printed. */
  readonly isApiKeyMade: boolean;
  readonly holdTtlMs: number;
  readonly defaultEvent: string | undefined;
  readonly seedEvents: number;
  readonly seedTickets: number;
  readonly nodeId: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly isProduction: boolean;
}

/** One or more settings are wrong; the message has a line for each. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
}

/** Reads the settings. Throws BadConfig naming every setting that is wrong. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const shape = Object.fromEntries(Object.entries(SETTINGS).map(([name, { value }]) => [name, value])) as {
    [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]['value'];
  };
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = z.object(shape).safeParse(given);
  if (!parsed.success) {
    throw new BadConfig(
      parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'),
    );
  }
  const s = parsed.data;
  const isProduction = s.NODE_ENV === 'production';
  if (isProduction && s.API_KEY === undefined) {
    throw new BadConfig('API_KEY is required in production: set it to a secret of at least 16 characters');
  }
  return {
    port: s.PORT,
    host: s.HOST,
    ledgerFile: resolve(s.DATABASE_URL.slice('sqlite:'.length)),
    apiKey: s.API_KEY ?? randomBytes(18).toString('base64url'),
    isApiKeyMade: s.API_KEY === undefined,
    holdTtlMs: s.HOLD_TTL_SECONDS * 1_000,
    defaultEvent: s.DEFAULT_EVENT,
    seedEvents: s.SEED_EVENTS,
    seedTickets: s.SEED_TICKETS,
    nodeId: s.NODE_ID ?? randomInt(MAX_NODE_ID + 1),
    logLevel: s.LOG_LEVEL,
    isProduction,
  };
}
