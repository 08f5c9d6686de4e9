// Doors of a test's own, on a free port of the loopback: the real lanes before operations that no shop has.
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GUEST } from '@floodgate/core/actor.ts';
import { createDoors } from '../../src/http/lane/app.ts';
import { type Doors, drain } from '../../src/http/lane/doors.ts';
import type { Operation } from '../../src/http/lane/operation.ts';
import { createLog } from '../../src/telemetry/logs.ts';
import { ShopTelemetry } from '../../src/telemetry/shop-telemetry.ts';

// One for all doors of the file: it registers the process's own metrics.
const telemetry = new ShopTelemetry(createLog('silent'));

export interface TestDoors {
  readonly port: number;
  readonly doors: Doors;
  /** How often an operation was answered, by status: `{"200": 1}`. */
  readonly answered: (operation: string) => Promise<Readonly<Record<string, number>>>;
  /** How often something failed, at all doors of the file. */
  readonly faults: () => Promise<number>;
  /** Shows every request as Node has it, before anybody else sees it. */
  readonly onRequest: (look: (req: IncomingMessage) => void) => void;
  /** As at SIGTERM: resolves when all connections have ended. */
  readonly close: () => Promise<void>;
}

export async function openTestDoors(
  operations: readonly Operation[],
  hasFrontLane: boolean,
  actorOf: Doors['actorOf'] = () => GUEST,
): Promise<TestDoors> {
  const doors: Doors = {
    ...{ telemetry, actorOf, isDraining: false, streams: new Set<AbortController>() },
    ...{ mode: () => 'test', degraded: () => '' },
  };
  const server = createDoors(doors, operations, hasFrontLane);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    doors,
    async answered(operation) {
      const line = new RegExp(
        `^floodgate_requests_total\\{operation="${operation}",status="(\\d+)"\\} (\\d+)$`,
        'gm',
      );
      const lines = (await telemetry.prometheus()).matchAll(line);
      return Object.fromEntries([...lines].map(([, status, count]) => [status, Number(count)]));
    },
    async faults() {
      const [, count] = /^floodgate_faults_total (\d+)$/m.exec(await telemetry.prometheus()) ?? [];
      return Number(count);
    },
    onRequest: (look) => void server.prependListener('request', look),
    async close() {
      drain(doors);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
    },
  };
}

/** Both lanes of the same operations. Their names tell them apart. */
export const LANES: readonly (readonly [name: string, hasFrontLane: boolean])[] = [
  ['front lane', true],
  ['Express', false],
];

/** Waits for a state; fails when it does not come. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const lastMs = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > lastMs) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
