// Guards: what may refuse a request before its body is read. They see its head only, so a refusal costs no more than
// the head, whatever a client sends after it. The first guard of a staff operation is that of its roles.
import type { Actor, Role } from '@floodgate/core/actor.ts';
import type { Answer } from './answer.ts';
import { problem } from './problem.ts';

/** A request before its body is read and its input checked. */
export interface RequestHead {
  readonly requestId: string;
  readonly actor: Actor;
  /** Whether staff of any role asks. */
  readonly isStaff: boolean;
  /** Of the path, as the client wrote them: no schema has looked at them yet. */
  readonly params: Readonly<Record<string, string>>;
  /** Where the connection comes from: behind a proxy, the proxy's. Empty when it is closed already. */
  readonly address: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
}

/**
 * Returns the refusal, or undefined to let the request pass; as a promise only where it must ask another, because hot
 * doors pay for it. Guards run one after another, and the first refusal is the answer.
 */
export type Guard = (request: RequestHead) => Answer | undefined | Promise<Answer | undefined>;

/** Lets in staff of these roles. `admin` always may. */
export function staffOnly(roles: readonly Role[]): Guard {
  return ({ actor, requestId }) => {
    if (actor.kind === 'nobody') {
      return problem('UNAUTHENTICATED', requestId, { headers: { 'WWW-Authenticate': 'Bearer' } });
    }
    if (actor.kind === 'staff' && (actor.role === 'admin' || roles.includes(actor.role))) return undefined;
    const asked = ['admin', ...roles].join(', ');
    const detail = `Only staff may do that (${asked}); you are ${actor.kind === 'staff' ? actor.role : 'a buyer'}.`;
    return problem('FORBIDDEN', requestId, { detail });
  };
}
