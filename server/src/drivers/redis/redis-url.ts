// Where Redis is and how to log in, from a URL. The URL holds a password, so no error repeats it.
import { UnsuitableRedis } from './faults.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** Set for TLS; certificates are verified against the host's name. */
  readonly tls?: Record<never, never>;
}

const DEFAULT_PORT = 6379;
const FORM = 'use redis://[user:password@]host[:port][/db], or rediss:// for TLS';

/** Throws UnsuitableRedis with one line that says how the URL should look. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') throw bad('is no Redis URL');
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(db)) throw bad('has a database that is no number');
  if (url.search !== '' || url.hash !== '') throw bad('has parameters, which are not supported');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    ...(url.username !== '' && { username: decode(url.username) }),
    ...(url.password !== '' && { password: decode(url.password) }),
    db: Number(db),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad('has a user or password that is not percent-encoded');
  }
}

function bad(what: string): UnsuitableRedis {
  return new UnsuitableRedis(`the Redis URL ${what}: ${FORM}`);
}
