// What a test process (test-reporter.ts) tells the process that runs it (test-file.ts).

/** How one test went. `why` is the failure in full, or the reason of a skip. */
export interface TestResult {
  readonly kind: 'passed' | 'failed' | 'skipped';
  readonly title: string;
  readonly durationMs: number;
  readonly why: string;
}

/** One message over IPC. `started` names what runs now, `note` is a test's `t.diagnostic`. */
export type TestMessage =
  | TestResult
  | { readonly kind: 'started'; readonly title: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'finished' };
