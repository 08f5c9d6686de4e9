// `npm run check` runs the checks alone; `npm run format` (`--fix`) repairs first what can be repaired.
import { describeCheck, runChecks } from './checks.ts';

const results = await runChecks(process.argv.includes('--fix'));
for (const result of results) process.stdout.write(describeCheck(result));
if (results.some(({ ok }) => !ok)) process.exitCode = 1;
