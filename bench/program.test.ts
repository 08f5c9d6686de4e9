// What the bench says of a process must be true of that process.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { patienceMs } from '@floodgate/core/testing/patience.ts';
import { ask, listeningPort, type Program, startProgram, statusMiB } from './program.ts';

test('memory is read by name', () => {
  const status = 'Name:\tnode\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n';
  assert.equal(statusMiB(status, 'VmRSS'), 100);
  assert.equal(statusMiB(status, 'VmHWM'), 200);
  assert.equal(statusMiB(status, 'VmSwap'), 0);
});

test('only a whole JSON line that says so names the port', () => {
  assert.equal(listeningPort('{"level":30,"msg":"listening","port":3000}'), 3000);
  assert.equal(listeningPort('{"level":30,"msg":"listening","po'), undefined);
  assert.equal(listeningPort('{"level":30,"msg":"ready","port":3000}'), undefined);
  assert.equal(listeningPort('"msg":"listening","port":3000'), undefined);
});

async function inFolder(
  script: string,
  use: (start: () => Promise<Program>) => Promise<void>,
): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'bench-test-'));
  const path = join(cwd, 'program.mjs');
  writeFileSync(path, script);
  const start = () =>
    startProgram({
      script: path,
      args: [],
      env: {},
      cwd,
      logFile: join(cwd, 'log'),
      timeoutMs: patienceMs(1_000),
    });
  try {
    await use(start);
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

const SERVE = `
  import { createServer } from 'node:http';
  const server = createServer((request, response) => {
    const until = performance.now() + Number(request.url.slice(1));
    while (performance.now() < until);
    response.end('done');
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ msg: 'listening', port: server.address().port })));
`;

test('a program is found by its log line, and its CPU time grows by what it works', async () => {
  await inFolder(`${SERVE} process.on('SIGTERM', () => process.exit(0));`, async (start) => {
    const program = await start();
    const before = program.usage();
    const startMs = performance.now();
    const reply = await ask(program.port, 'GET', '/300');
    const tookMs = performance.now() - startMs;
    const after = program.usage();
    await program.stop();
    assert.equal(reply.body, 'done');
    if (process.platform !== 'linux') return;
    // The clock of /proc ticks every 10 ms; a busy machine gives it less CPU than time passes, and nothing gives it twice that.
    const workedMs = after.cpuMs - before.cpuMs;
    assert.ok(workedMs >= 20 && workedMs <= 2 * tookMs, `${workedMs} ms in ${tookMs} ms`);
    assert.ok(after.peakRssMiB >= after.rssMiB && after.rssMiB > 10);
  });
});

test('a program that ends before it listens is a fault that shows its last words', async () => {
  await inFolder(`console.error('no ledger here'); process.exit(1);`, async (start) => {
    await assert.rejects(start(), /no ledger here/);
  });
});

test('a program that does not end well after SIGTERM is a fault', async () => {
  await inFolder(`${SERVE} process.on('SIGTERM', () => process.exit(3));`, async (start) => {
    const program = await start();
    await assert.rejects(program.stop(), /ended with 3/);
  });
});
