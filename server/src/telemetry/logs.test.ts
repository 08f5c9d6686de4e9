// The log's two ways of writing a line, pino's and the short one of answers, have one form. It writes to standard
// output, so it is tried out in a process of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

function linesOf(level: string, script: string): string[] {
  const source = `
    const { createLog } = await import(${JSON.stringify(new URL('./logs.ts', import.meta.url).href)});
    const log = createLog(${JSON.stringify(level)});
    ${script}
    await log.flush();
    process.exit(0);`;
  const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
  return stdout.split('\n').slice(0, -1);
}

test('[A7] an answer is logged as pino would log it', () => {
  const facts = {
    operation: 'buy',
    requestId: 'a-1',
    status: 201,
    ms: 1.234,
    eventId: 'Zoë "x"\n',
    ledgerSeq: 7,
  };
  const [fast, slow] = linesOf(
    'info',
    `const facts = ${JSON.stringify(facts)};
     log.answer(JSON.stringify(facts).slice(1, -1), 'granted');
     log.logger.info(facts, 'granted');`,
  ).map((line) => line.replace(/"time":"[^"]+"/, '"time":""'));
  assert.equal(fast, slow);
  assert.deepEqual(JSON.parse(fast!), { level: 'info', time: '', ...facts, msg: 'granted' });
});

test('[A7] times are ISO 8601 in UTC, and of now', () => {
  const before = Date.now();
  const [line] = linesOf('info', `log.answer('"a":1', 'm');`);
  const { time } = JSON.parse(line!) as { time: string };
  assert.equal(new Date(time).toISOString(), time);
  assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
});

test('[A7] LOG_LEVEL leaves out what is below it, answers too', () => {
  const script = `
    log.logger.debug('d');
    log.answer('"a":1', 'i');
    log.logger.warn('w');
    log.logger.error({ err: new Error('broken') }, 'e');`;
  const messages = (level: string) =>
    linesOf(level, script).map((line) => (JSON.parse(line) as { msg: string }).msg);
  assert.deepEqual(messages('debug'), ['d', 'i', 'w', 'e']);
  assert.deepEqual(messages('info'), ['i', 'w', 'e']);
  assert.deepEqual(messages('error'), ['e']);
  assert.deepEqual(messages('silent'), []);
});

test('[A7] a fault is one line, with its cause and stack', () => {
  const script = `log.logger.error({ err: new Error('broken', { cause: new Error('the disk') }) }, 'e');`;
  const lines = linesOf('info', script);
  assert.equal(lines.length, 1);
  const { err } = JSON.parse(lines[0]!) as { err: { message: string; stack: string } };
  assert.match(err.message, /broken.*the disk/);
  assert.match(err.stack, /\n\s+at /);
});
