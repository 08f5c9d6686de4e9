// What the shop tells the people who run it: logs and metrics. One interface, so that sales and doors can speak
// without knowing pino or Prometheus.

export interface Telemetry {
  /** The ledger refused tickets that the inventory had proposed: an oversell that was stopped. */
  oversellStopped(eventId: string, tickets: number): void;
  holdExpired(eventId: string, holdId: string, tickets: number): void;
  /** A commit of `size` entries took `ms`; `waiting` had gathered meanwhile. */
  batchCommitted(batch: { readonly size: number; readonly waiting: number; readonly ms: number }): void;
  /** A request was answered. `fields` are the facts of the log line: orderId, ledgerSeq, error … */
  answered(answer: Answered): void;
  /** Something failed that is not a buyer's concern. Secrets are never among the fields. */
  fault(message: string, error: unknown, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Answered {
  readonly operation: string;
  readonly requestId: string;
  readonly status: number;
  readonly ms: number;
  /** `granted` and `refused` are logged one line each; `read` only when debugging; `fault` as an error. */
  readonly result: 'granted' | 'refused' | 'read' | 'fault';
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}
