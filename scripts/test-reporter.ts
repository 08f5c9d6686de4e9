// Runs inside every test process: tells the runner (test.ts) over IPC how each test went. If the runner is
// gone, it ends the process and all that the process started.
import { inspect } from 'node:util';
import { ProcessFamily, RUN_VARIABLE } from './process-family.ts';
import type { TestMessage } from './test-message.ts';

/** An event of node:test, as far as it is read here. */
interface NodeTestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly message: string;
    readonly line?: number;
    readonly details: {
      readonly duration_ms: number;
      readonly type?: string;
      readonly error?: NodeTestError;
    };
  };
}
type NodeTestError = Error & { readonly failureType: string };

/** The figures that node:test itself adds at the end of a file. */
const OWN_DIAGNOSTIC = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

process.on('disconnect', endFamily);
process.channel?.unref();
// The runner may have gone while this was being loaded.
if (process.send && !process.connected) endFamily();

/** The family first: its kill ends with the group, and so with this very process. */
function endFamily(): void {
  const mark = process.env[RUN_VARIABLE]?.split(' ').at(-1);
  if (mark) new ProcessFamily(process.pid, mark).kill();
  process.kill(process.platform === 'win32' ? process.pid : -process.pid, 'SIGKILL');
}

// biome-ignore lint/style/noDefaultExport: node:test wants its reporter as the default export
// biome-ignore lint/correctness/useYield: and as a generator of text, but this one has nothing to write
export default async function* report(events: AsyncIterable<NodeTestEvent>): AsyncGenerator<string> {
  const titles: string[] = [];
  for await (const { type, data } of events) {
    if (type === 'test:dequeue') {
      send({ kind: 'started', title: data.name });
    } else if (type === 'test:start') {
      titles.splice(data.nesting, Infinity, data.name);
    } else if (type === 'test:pass' || type === 'test:fail') {
      titles.splice(data.nesting, Infinity, data.name);
      tell(type === 'test:pass', titles.join(' › '), data);
    } else if (type === 'test:diagnostic' && !OWN_DIAGNOSTIC.test(data.message)) {
      send({ kind: 'note', text: data.message });
    } else if (type === 'test:summary') {
      send({ kind: 'finished' });
    }
  }
}

function tell(passed: boolean, title: string, { skip, todo, line, details }: NodeTestEvent['data']): void {
  const { duration_ms: durationMs, error, type } = details;
  const failedBySubtests = error?.failureType === 'subtestsFailed';
  // A suite is no test; it counts only when it fails by itself, in a hook.
  if (type === 'suite' && (passed || failedBySubtests)) return;
  const off = skip ?? todo;
  if (off !== undefined && off !== false) {
    const why = typeof off === 'string' && off !== '' ? off : skip === undefined ? 'todo' : 'no reason given';
    send({ kind: 'skipped', title, durationMs, why });
  } else if (passed) {
    send({ kind: 'passed', title, durationMs, why: '' });
  } else {
    send({ kind: 'failed', title, durationMs, why: `line ${line}: ${describeError(error)}` });
  }
}

function describeError(error: NodeTestError | undefined): string {
  const cause = error?.cause instanceof Error ? error.cause : (error?.message ?? 'failed');
  const text = typeof cause === 'string' ? cause : inspect(cause, { depth: 6 });
  return text.replace(/\n\s+at [^\n]*\(?node:internal[^\n]*(?=\n|$)/g, '');
}

function send(message: TestMessage): void {
  // Nobody listens any more: this may be known here before the channel's end is.
  process.send?.(message, undefined, undefined, (error) => {
    if (error) endFamily();
  });
}
