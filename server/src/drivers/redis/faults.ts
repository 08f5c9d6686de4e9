// How Redis fails: it never will do, or it cannot be asked now. What Redis or the driver says is kept as the cause,
// without the command it speaks of: that may be AUTH with its password.

/** Settings that cannot work, as one line that says what to do. */
export class UnsuitableRedis extends Error {
  override readonly name = 'UnsuitableRedis';
}

/** Redis cannot be reached, is too slow, or refuses to write. What was asked may have happened. */
export class RedisUnavailable extends Error {
  override readonly name = 'RedisUnavailable';
}

/** What Redis answers when it cannot do now what it could do later. Any other error answer means damaged keys. */
const PASSING =
  /^(OOM|READONLY|MISCONF|LOADING|MASTERDOWN|BUSY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|NOAUTH|NOPERM|WRONGPASS|UNBLOCKED)\b/;

export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** An error answer that says that the keys are not what they should be. */
export function tellsOfDamage(error: unknown): error is Error {
  return isReplyError(error) && !PASSING.test(error.message);
}

/** Any error of the driver or the server, as a fault without secrets. */
export function asUnavailable(error: unknown, doing = 'asking Redis'): RedisUnavailable {
  if (error instanceof RedisUnavailable) return error;
  const cause = withoutCommand(error);
  return new RedisUnavailable(`${doing} failed: ${cause.message.split('\n', 1)[0]}`, { cause });
}

export function withoutCommand(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  delete (error as { command?: unknown }).command;
  return error;
}
