// Which servers may be sold from, by what they tell of themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedisUnavailable, UnsuitableRedis } from './faults.ts';
import { checkServer } from './server-check.ts';

const info = (fields: Record<string, string>) => {
  const whole = {
    redis_version: '7.0.15',
    maxmemory: '0',
    maxmemory_policy: 'noeviction',
    role: 'master',
    ...fields,
  };
  return Object.entries(whole)
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('');
};

test('Redis 7 and Valkey that keep all they have will do, alone or as a cluster', () => {
  assert.deepEqual(checkServer(info({})), { isCluster: false, warnings: [] });
  assert.equal(checkServer(info({ cluster_enabled: '1' })).isCluster, true);
  assert.deepEqual(checkServer(info({ redis_version: '7.2.4', valkey_version: '8.0.1' })).warnings, []);
  assert.deepEqual(checkServer(info({ maxmemory: '1000', maxmemory_policy: 'noeviction' })).warnings, []);
  assert.deepEqual(checkServer(info({ maxmemory: '0', maxmemory_policy: 'allkeys-lru' })).warnings, []);
});

test('a server that does not tell its policy is warned of', () => {
  assert.match(checkServer('redis_version:7.4.0\r\n').warnings.join(), /make sure that it is noeviction/);
});

test('a server that never will do is refused, one that may do later is a fault', () => {
  for (const policy of ['allkeys-lru', 'volatile-ttl', 'allkeys-random']) {
    const fields = { maxmemory: '1000', maxmemory_policy: policy };
    assert.throws(() => checkServer(info(fields)), UnsuitableRedis);
  }
  assert.throws(() => checkServer(info({ redis_version: '6.2.14' })), UnsuitableRedis);
  assert.throws(() => checkServer(info({ loading: '1' })), RedisUnavailable);
  assert.throws(() => checkServer(info({ role: 'slave' })), RedisUnavailable);
});
