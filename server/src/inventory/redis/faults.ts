// What faults of the driver mean to the inventory.
import { asUnavailable as redisFault } from '../../drivers/redis/faults.ts';
import { InventoryUnavailable } from '../shared-inventory.ts';

/** Any error of the driver or the server, as a fault without secrets. */
export function asUnavailable(error: unknown, doing?: string): InventoryUnavailable {
  if (error instanceof InventoryUnavailable) return error;
  const { message, cause } = redisFault(error, doing);
  return new InventoryUnavailable(message, { cause });
}
