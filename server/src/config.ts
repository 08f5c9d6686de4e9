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

const MAX_JWT_SECRETS = 8;
const JWT_SECRET_RULE = `must be 32 or more printable ASCII characters without spaces, commas and colons, or up to ${MAX_JWT_SECRETS} of these with different names, kid:secret,kid2:secret2`;
const JWT_SECRET = /^(?:([\w.-]{1,64}):)?([\x21-\x2b\x2d-\x39\x3b-\x7e]{32,})$/;

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
  JWT_SECRET: {
    help: 'signs sessions, checks JWTs (HS256): a secret of 32 characters or more, or kid:secret,kid2:secret2 of which the first signs; required in production, else made at start',
    value: z
      .string()
      .refine((text) => jwtSecrets(text) !== undefined, JWT_SECRET_RULE)
      .optional(),
  },
  JWT_ISSUER: { help: 'JWTs must be of this issuer (iss); unset: any', value: z.string().optional() },
  JWT_AUDIENCE: {
    help: 'JWTs must be for this audience (aud); unset: any',
    value: z.string().optional(),
  },
  SESSION_DAYS: { help: 'how long an anonymous buyer is known', value: wholeNumber(1, 400).default(30) },
  HOLD_TTL_SECONDS: { help: 'how long a hold keeps its tickets', value: wholeNumber(1, 86_400).default(300) },
  HOLD_MAX_SECONDS: {
    help: 'how long a hold lives at most, however often it is extended; unset: 11 times HOLD_TTL_SECONDS',
    value: wholeNumber(1, 8_640_000).optional(),
  },
  CORS_ORIGINS: {
    help: 'origins whose pages may call the API, https://shop.example.org,https://…, or *; unset: none',
    value: z
      .string()
      .refine(
        (text) => text === '*' || text.split(',').every(isOrigin),
        'must be * or a comma list of origins like https://shop.example.org, without a path',
      )
      .optional(),
  },
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

/** One of the secrets that sessions and JWTs are checked with. */
export interface JwtSecret {
  /** How a JWT's header names it; undefined for one without a name. */
  readonly kid: string | undefined;
  readonly secret: string;
}

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
  /** The first signs, all verify. */
  readonly jwtSecrets: readonly JwtSecret[];
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  readonly sessionMs: number;
  readonly holdTtlMs: number;
  readonly holdMaxMs: number;
  /** Empty: no other origin's pages may call the API. */
  readonly corsOrigins: readonly string[] | '*';
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

/** Undefined when the text is no list of secrets. */
function jwtSecrets(text: string): JwtSecret[] | undefined {
  const parts = text.split(',').map((part) => JWT_SECRET.exec(part));
  const secrets = parts.flatMap((part) => (part ? [{ kid: part[1], secret: part[2]! }] : []));
  const kids = new Set(secrets.map(({ kid }) => kid));
  const isGood =
    secrets.length === parts.length && kids.size === parts.length && parts.length <= MAX_JWT_SECRETS;
  return isGood ? secrets : undefined;
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

function databaseOf(url: string, readUrl: string | undefined): Database {
  if (url.startsWith('sqlite:')) return { kind: 'sqlite', file: resolve(url.slice('sqlite:'.length)) };
  return { kind: url.startsWith('postgres') ? 'postgres' : 'mysql', url, readUrl };
}

/** A hold can be extended at least ten times (WCAG 2.2.1), unless the operator caps it. */
const HOLD_LIVES = 11;

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
  if (isProduction && s.JWT_SECRET === undefined) {
    throw new BadConfig('JWT_SECRET is required in production: set it to a secret of at least 32 characters');
  }
  const holdMaxSeconds = s.HOLD_MAX_SECONDS ?? HOLD_LIVES * s.HOLD_TTL_SECONDS;
  if (holdMaxSeconds < s.HOLD_TTL_SECONDS) {
    throw new BadConfig('HOLD_MAX_SECONDS must be at least HOLD_TTL_SECONDS');
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
    jwtSecrets: jwtSecrets(s.JWT_SECRET ?? randomBytes(32).toString('base64url'))!,
    jwtIssuer: s.JWT_ISSUER,
    jwtAudience: s.JWT_AUDIENCE,
    sessionMs: s.SESSION_DAYS * 86_400_000,
    holdTtlMs: s.HOLD_TTL_SECONDS * 1_000,
    holdMaxMs: holdMaxSeconds * 1_000,
    corsOrigins: s.CORS_ORIGINS === '*' ? '*' : (s.CORS_ORIGINS?.split(',') ?? []),
    defaultEvent: s.DEFAULT_EVENT,
    seedEvents: s.SEED_EVENTS,
    seedTickets: s.SEED_TICKETS,
    nodeId: s.NODE_ID,
    reconcileEveryMs: s.RECONCILE_SECONDS * 1_000,
    logLevel: s.LOG_LEVEL,
    isProduction,
  };
}
