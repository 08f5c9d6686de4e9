// What reads on a server select.
import { HOLDS, ORDERS, recordColumns } from '../../tables.ts';

export const ORDER_COLUMNS = recordColumns(ORDERS)
  .map((name) => `o.${name}`)
  .join(', ');
export const HOLD_COLUMNS = recordColumns(HOLDS)
  .map((name) => `h.${name}`)
  .join(', ');
