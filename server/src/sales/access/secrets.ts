// Comparing what somebody sent with what only few may know.
import { timingSafeEqual } from 'node:crypto';

/** Compares in a time that does not tell how much was right. */
export function equalSecrets(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
