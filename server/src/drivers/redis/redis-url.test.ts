// Which URLs lead to a Redis, and that no error repeats the password in one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnsuitableRedis } from './faults.ts';
import { parseRedisUrl } from './redis-url.ts';

test('a Redis URL names host, port, login, database and TLS', () => {
  assert.deepEqual(parseRedisUrl('redis://localhost'), { host: 'localhost', port: 6379, db: 0 });
  assert.deepEqual(parseRedisUrl('redis://[::1]:7000/2'), { host: '::1', port: 7000, db: 2 });
  assert.deepEqual(parseRedisUrl('rediss://shop:p%40ss%2F@redis.example:6380/'), {
    host: 'redis.example',
    port: 6380,
    username: 'shop',
    password: 'p@ss/',
    db: 0,
    tls: {},
  });
});

test('a wrong Redis URL is refused in one line that says how it should be and keeps the password', () => {
  const wrong = [
    '',
    'localhost:6379',
    'http://:s3cret@localhost',
    'redis://',
    'redis://:s3cret@host:99999',
    'redis://:s3cret@host/db',
    'redis://:s3cret%@host',
    'redis://:s3cret@host/0?family=6',
  ];
  for (const url of wrong) {
    assert.throws(
      () => parseRedisUrl(url),
      (fault: Error) =>
        fault instanceof UnsuitableRedis &&
        /^the Redis URL [^\n]*: use redis:\/\//.test(fault.message) &&
        !fault.message.includes('s3cret'),
      url,
    );
  }
});
