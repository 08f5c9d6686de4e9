// Standard output that never makes anybody wait: on a file, on a full disk, and on a pipe whose reader stands still.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { Output } from './output.ts';

function temporaryFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-output-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'out');
}

function open(t: TestContext, file: string, flags: string | number): number {
  const fd = openSync(file, flags);
  t.after(() => closeSync(fd));
  return fd;
}

/** Both ends of a pipe, not waiting: what is written stays until `read` takes it. */
function pipe(t: TestContext): { fd: number; read: () => string } {
  const file = temporaryFile(t);
  assert.equal(spawnSync('mkfifo', [file]).status, 0);
  const fd = open(t, file, constants.O_RDWR | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(65_536);
  const read = () => {
    let text = '';
    try {
      for (;;) text += bytes.toString('utf8', 0, readSync(fd, bytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
      return text;
    }
  };
  return { fd, read };
}

const line = (number: number, length: number): string => `${`${number} `.padEnd(length - 1, 'x')}\n`;

test('what is written is there after a flush, whole and in order', async (t) => {
  const file = temporaryFile(t);
  const out = new Output(open(t, file, 'w'));
  const lines = Array.from({ length: 2_000 }, (_, i) => line(i, 200));
  for (const each of lines) out.write(each);
  await out.flush();
  assert.equal(readFileSync(file, 'utf8'), lines.join(''));
});

test('a reader that stands still is waited for a second, and gets all when it goes on', async (t) => {
  const { fd, read } = pipe(t);
  const out = new Output(fd);
  const lines = Array.from({ length: 20 }, (_, i) => line(i, 20_000));
  for (const each of lines) out.write(each);
  const startMs = performance.now();
  await out.flush();
  const waitedMs = performance.now() - startMs;
  assert.ok(waitedMs > 900, `waited ${waitedMs} ms`);
  let received = '';
  const giveUpMs = performance.now() + patienceMs(500);
  while (received.length < lines.join('').length && performance.now() < giveUpMs) {
    received += read();
    await sleep(10);
  }
  assert.equal(received, lines.join(''));
});

test('for a reader that stands still 16 MB are kept, and what is lost is lost in whole lines', async (t) => {
  const { fd, read } = pipe(t);
  const out = new Output(fd);
  const lines = Array.from({ length: 40 }, (_, i) => line(i, 1_000_000));
  for (const each of lines) out.write(each);
  let received = '';
  // A flush gives up after a second: the last of several is over when all is written.
  for (let isFlushed = false; !isFlushed; ) {
    const before = received.length;
    let isOver = false;
    void out.flush().then(() => {
      isOver = true;
    });
    while (!isOver) {
      received += read();
      await sleep(1);
    }
    received += read();
    isFlushed = received.length === before;
  }
  assert.ok(received.length > 16_000_000 && received.length < 19_000_000, `${received.length} were kept`);
  assert.ok(lines.join('').startsWith(received));
  assert.ok(received.endsWith('\n'));
  out.write('again\n');
  await out.flush();
  assert.equal(read(), 'again\n');
});

test('on a full disk lines are lost, and nothing else happens', async (t) => {
  if (!existsSync('/dev/full')) return t.skip('there is no /dev/full here');
  const out = new Output(open(t, '/dev/full', 'w'));
  for (let i = 0; i < 100; i++) out.write(line(i, 1_000));
  await out.flush();
  out.write('and again\n');
  await out.flush();
});

test('a closed descriptor is no fault either', async (t) => {
  const fd = openSync(temporaryFile(t), 'w');
  closeSync(fd);
  const out = new Output(fd);
  out.write('nobody\n');
  await out.flush();
});
