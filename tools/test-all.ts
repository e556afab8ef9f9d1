// Everything that must hold in this repository: `npm test`, or `pnpm check` for what needs no guest (`--quick`).
// `--only <words>` runs the gates whose name contains the words.
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { runGates } from './gates/gate.ts';
import { gateList } from './gates/list.ts';

const print = (text: string): void => console.log(text);
const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const wanted = values.only?.map((words) => words.toLowerCase());
const gates = gateList(print)
  .filter(({ name }) => wanted === undefined || wanted.some((words) => name.toLowerCase().includes(words)))
  .map((gate) => (wanted === undefined ? gate : { ...gate, needs: [] }));
if (gates.length === 0) throw new RangeError(`no gate is called like ${JSON.stringify(values.only)}`);

const controller = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => controller.abort(new Error(`interrupted by ${signal}`)));
}
const startedMs = performance.now();
const { passed, failed } = await runGates(gates, { quick: values.quick, signal: controller.signal, print });
print(`\n${((performance.now() - startedMs) / 1000).toFixed(0)} s, Node ${process.versions.node}`);
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
