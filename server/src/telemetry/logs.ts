// The log: JSON lines on standard output, readable ones on a terminal. Lines are gathered and written together,
// at the latest after 100 ms and before the process ends.
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export interface Log {
  readonly logger: Logger;
  /** Whether a person is reading along. */
  readonly isTerminal: boolean;
  /**
   * An answer's line, at level info. `text` is that of its members, without braces. Written past pino's
   * serializer, in the same form: 0.9 µs instead of 3.4 µs for the line that every sale writes.
   */
  answer(members: string, message: string): void;
  /** Writes what is gathered, now. */
  flush(): void;
}

const GATHER_BYTES = 65_536;

/** `level` as in LOG_LEVEL. Timestamps are ISO 8601. */
export function createLog(level: string): Log {
  const isTerminal = process.stdout.isTTY === true;
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${isoTime()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (isTerminal) {
    const stream = pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'requestId', sync: true });
    const logger = pino(options, stream);
    return {
      logger,
      isTerminal,
      answer: (members, message) => logger.info(JSON.parse(`{${members}}`), message),
      flush() {},
    };
  }
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: GATHER_BYTES,
    maxWrite: 2 * GATHER_BYTES,
    periodicFlush: 100,
  });
  const logger = pino(options, destination);
  const isInfo = logger.isLevelEnabled('info');
  return {
    logger,
    isTerminal,
    answer(members, message) {
      if (isInfo) destination.write(`{"level":"info","time":"${isoTime()}",${members},"msg":"${message}"}\n`);
    },
    flush() {
      try {
        destination.flushSync();
      } catch {
        // Standard output is closed or not open yet: there is nobody left to tell.
      }
    },
  };
}

let isoMs = 0;
let isoText = '';

/** The time of now in ISO 8601, made once a millisecond. */
function isoTime(): string {
  const nowMs = Date.now();
  if (nowMs !== isoMs) {
    isoMs = nowMs;
    isoText = new Date(nowMs).toISOString();
  }
  return isoText;
}
