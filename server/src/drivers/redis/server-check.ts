// What a Redis server must be before anything is sold from it. INFO tells all of it, so no right to CONFIG is needed,
// which managed servers do not give.
import { RedisUnavailable, UnsuitableRedis } from './faults.ts';

export interface ServerFacts {
  readonly isCluster: boolean;
  /** What the operator should know, each as one line. */
  readonly warnings: readonly string[];
}

const OLDEST_MAJOR = 7;

/** Throws UnsuitableRedis for a server that never will do, RedisUnavailable for one that may do later. */
export function checkServer(info: string): ServerFacts {
  const of = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const version = of('redis_version');
  if (version !== undefined && Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw new UnsuitableRedis(`Redis ${version} is too old: use Redis ${OLDEST_MAJOR} or newer, or Valkey`);
  }
  if (of('loading') === '1') throw new RedisUnavailable('Redis is still loading its data');
  if (of('role') === 'slave') throw new RedisUnavailable('this Redis is a replica, which cannot sell');
  const policy = of('maxmemory_policy');
  if (of('maxmemory') !== '0' && policy !== undefined && policy !== 'noeviction') {
    throw new UnsuitableRedis(
      `Redis may drop tickets when its memory is full (maxmemory-policy ${policy}): set maxmemory-policy noeviction`,
    );
  }
  const warnings =
    policy === undefined ? ['Redis does not tell its maxmemory-policy: make sure that it is noeviction'] : [];
  return { isCluster: of('cluster_enabled') === '1', warnings };
}
