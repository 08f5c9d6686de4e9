// All doors of the shop: the one table of what it answers. Nothing is read of the shop here, so the table can be had
// without one, for tests and for the API document.
import type { Shop } from '../../sales/shop.ts';
import type { Doors } from '../lane/doors.ts';
import type { Operation } from '../lane/operation.ts';
import { sessionOperations, staffKeyOperations } from './access.ts';
import { buyOperations } from './buy.ts';
import { eventOperations } from './events.ts';
import { flashOperations } from './flash.ts';
import { holdOperations } from './holds.ts';
import { manifestOperations } from './manifests.ts';
import { operatorOperations } from './operators.ts';
import { orderOperations } from './orders.ts';
import { organizerOperations } from './organize.ts';
import { referenceOperations } from './reference.ts';
import { seatOperations } from './seats.ts';

export function allOperations(shop: Shop, doors: Doors): readonly Operation[] {
  const operations: Operation[] = [
    ...buyOperations(shop),
    ...eventOperations(shop),
    ...organizerOperations(shop),
    ...holdOperations(shop),
    ...manifestOperations(shop),
    ...seatOperations(shop),
    ...flashOperations(shop),
    ...orderOperations(shop),
    ...staffKeyOperations(shop),
    ...sessionOperations(shop, doors),
    ...operatorOperations(shop, doors),
  ];
  operations.push(...referenceOperations(() => operations));
  return operations;
}
