// Every setting once: its environment name, type, default and one line of help. Nothing else reads the environment.
import { randomBytes } from 'node:crypto';
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
    help: 'the ledger: sqlite:<file>, postgres://user:password@host/database, or mysql://…',
    value: z
      .string()
      .refine(isDatabaseUrl, 'must be sqlite:<file>, postgres://user:password@host/database, or mysql://…')
      .default('sqlite:data/floodgate.db'),
  },
  DATABASE_READ_URL: {
    help: 'a read replica of the ledger, for lists and audits, which may lag; unset: the ledger itself',
    value: z.string().refine(isServerUrl, 'must be postgres://… or mysql://…, like DATABASE_URL').optional(),
  },
  REDIS_URL: {
    help: 'the inventory that several processes share, redis://… or rediss://…; unset: in memory',
    value: z
      .string()
      .refine((text) => isUrl(text, ['redis:', 'rediss:']), 'must be redis://… or rediss://…')
      .optional(),
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
  RECONCILE_SECONDS: {
    help: 'how often inventory and ledger are compared; a lost ticket is back on sale after two of these',
    value: wholeNumber(1, 3_600).default(5),
  },
  NODE_ID: {
    help: `number of this process in its ids, 0 to ${MAX_NODE_ID}; unset: a free one`,
    value: wholeNumber(0, MAX_NODE_ID).optional(),
  },
  LOG_LEVEL: { help: `one of ${LOG_LEVELS.join(', ')}`, value: z.enum(LOG_LEVELS).default('info') },
  NODE_ENV: { help: '"production" makes missing secrets an error', value: z.string().default('development') },
} as const;

/** Where the ledger is. URLs have passwords: they never reach a log or a message. */
export type Database =
  | { readonly kind: 'sqlite' /** Absolute. */; readonly file: string }
  | { readonly kind: 'postgres' | 'mysql'; readonly url: string; readonly readUrl: string | undefined };

export interface Config {
  readonly port: number;
  readonly host: string | undefined;
  readonly database: Database;
  readonly redisUrl: string | undefined;
  readonly apiKey: string;
  /** Whether the key was made for this run, so that it may be printed. */
  readonly isApiKeyMade: boolean;
  readonly holdTtlMs: number;
  readonly defaultEvent: string | undefined;
  readonly seedEvents: number;
  readonly seedTickets: number;
  /** Undefined: the ledger leases one where several processes may share it. */
  readonly nodeId: number | undefined;
  readonly reconcileEveryMs: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly isProduction: boolean;
}

/** One or more settings are wrong; the message has a line for each. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol) && url.hostname !== '';
}

function isServerUrl(text: string): boolean {
  return (
    isUrl(text, ['postgres:', 'postgresql:', 'mysql:', 'mariadb:']) && URL.parse(text)!.pathname.length > 1
  );
}

function isDatabaseUrl(text: string): boolean {
  return /^sqlite:.+/.test(text) || isServerUrl(text);
}

function databaseOf(url: string, readUrl: string | undefined): Database {
  if (url.startsWith('sqlite:')) return { kind: 'sqlite', file: resolve(url.slice('sqlite:'.length)) };
  return { kind: url.startsWith('postgres') ? 'postgres' : 'mysql', url, readUrl };
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
  const database = databaseOf(s.DATABASE_URL, s.DATABASE_READ_URL);
  if (
    s.DATABASE_READ_URL !== undefined &&
    databaseOf(s.DATABASE_READ_URL, undefined).kind !== database.kind
  ) {
    throw new BadConfig('DATABASE_READ_URL must be a replica of DATABASE_URL, so of the same kind');
  }
  return {
    port: s.PORT,
    host: s.HOST,
    database,
    redisUrl: s.REDIS_URL,
    apiKey: s.API_KEY ?? randomBytes(18).toString('base64url'),
    isApiKeyMade: s.API_KEY === undefined,
    holdTtlMs: s.HOLD_TTL_SECONDS * 1_000,
    defaultEvent: s.DEFAULT_EVENT,
    seedEvents: s.SEED_EVENTS,
    seedTickets: s.SEED_TICKETS,
    nodeId: s.NODE_ID,
    reconcileEveryMs: s.RECONCILE_SECONDS * 1_000,
    logLevel: s.LOG_LEVEL,
    isProduction,
  };
}
