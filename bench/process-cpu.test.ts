// The CPU time of a server is that of all its processes, and of those that have ended meanwhile.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { familyCpuMs, processTimes } from './process-cpu.ts';

test('CPU time is read past a program name with spaces and brackets', () => {
  const stat = '4475 (my (odd) name) R 17 2 3 4 5 6 7 8 9 10 250 50 40 2 20 0 1 0';
  assert.deepEqual(processTimes(stat), { pid: 4_475, parent: 17, ownMs: 3_000, endedChildrenMs: 420 });
});

const WORK = 'while (process.cpuUsage().user < 300_000);';
const FAMILY = `
  const { spawnSync, spawn } = require('node:child_process');
  spawnSync(process.execPath, ['-e', ${JSON.stringify(WORK)}]);
  spawn(process.execPath, ['-e', ${JSON.stringify(`${WORK} console.log('worked'); setInterval(() => {}, 1000)`)}], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
`;

const isLinux = process.platform === 'linux';
test('a family has the time of children that run and of those that have ended', {
  skip: !isLinux,
}, async () => {
  const child = spawn('sh', ['-c', '"$0" -e "$1" & wait', process.execPath, FAMILY], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    await once(child.stdout!, 'data');
    const cpuMs = familyCpuMs(child.pid!);
    // Two that worked 300 ms each, told in whole ticks.
    assert.ok(cpuMs >= 550, `${cpuMs} ms`);
  } finally {
    process.kill(-child.pid!, 'SIGKILL');
  }
});
