// Leases where one process has the store for itself.
import { leaseContract } from '../contract/lease.contract.ts';
import { OwnLeases } from './lease.ts';

leaseContract({ name: 'SQLite', fresh: async () => () => new OwnLeases() });
