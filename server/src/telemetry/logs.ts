// The log: JSON lines on standard output, readable ones on a terminal. Lines are gathered and written together,
// at the latest after 100 ms and before the process ends.
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export interface Log {
  readonly logger: Logger;
  /** Whether a person is reading along. */
  readonly isTerminal: boolean;
  /** Writes what is gathered, now. */
  flush(): void;
}

const GATHER_BYTES = 8_192;

/** `level` as in LOG_LEVEL. Timestamps are ISO 8601. */
export function createLog(level: string): Log {
  const isTerminal = process.stdout.isTTY === true;
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (isTerminal) {
    const stream = pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'requestId', sync: true });
    return { logger: pino(options, stream), isTerminal, flush() {} };
  }
  const destination = pino.destination({ dest: 1, sync: false, minLength: GATHER_BYTES, periodicFlush: 100 });
  return {
    logger: pino(options, destination),
    isTerminal,
    flush() {
      try {
        destination.flushSync();
      } catch {
        // Standard output is closed or not open yet: there is nobody left to tell.
      }
    },
  };
}
