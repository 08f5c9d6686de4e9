// What the shop tells the people who run it: logs and metrics. One interface, so that sales and doors can speak
// without knowing pino or Prometheus.

export interface Telemetry {
  /** The ledger refused tickets that the inventory had proposed: an oversell that was stopped. */
  oversellStopped(eventId: string, tickets: number): void;
  holdExpired(eventId: string, holdId: string, tickets: number): void;
  /** Inventory and ledger had come apart and were repaired: how many tickets, by kind of correction. */
  driftRepaired(
    eventId: string,
    repaired: Readonly<Record<string, number>>,
    tickets: readonly number[],
  ): void;
  /** Selling goes on from this process's memory, because the shared inventory failed. */
  wentAlone(reason: string): void;
  /** The shared inventory is back, loaded from the ledger. */
  becameShared(aloneMs: number): void;
  /** A request was answered. */
  answered(answer: Answered): void;
  /**
   * Something failed that is not a buyer's concern. Secrets are never among the fields. The same fault again
   * within a second is counted only: a full disk must not fill itself with its stack.
   */
  fault(message: string, error: unknown, fields?: Readonly<Record<string, unknown>>): void;
  /** Something the people who run the shop should look at. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Since the process started; latencies over the latest 4,096 answers. */
  statistics(): Statistics;
  /** All metrics in Prometheus' text format. */
  prometheus(): Promise<string>;
}

export interface Answered {
  readonly operation: string;
  readonly requestId: string;
  readonly status: number;
  readonly ms: number;
  /** `granted`, `refused` and `fault` are logged one line each; `read` only when debugging. */
  readonly result: 'granted' | 'refused' | 'read' | 'fault';
  /** The facts of the log line: orderId, ledgerSeq, error … Never a secret. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

export interface Statistics {
  readonly requests: number;
  readonly granted: number;
  readonly refused: number;
  readonly faults: number;
  /** Of the operations that end in an order: those answered with one, and those refused or failed. */
  readonly purchases: number;
  readonly failedPurchases: number;
  /** How often selling went on without the shared inventory. */
  readonly fallbacks: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface TicketCount {
  readonly event: string;
  readonly ticketType: string;
  readonly state: 'available' | 'pending' | 'held' | 'sold' | 'allocated' | 'killed';
  readonly tickets: number;
}
