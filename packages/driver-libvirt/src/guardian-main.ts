import { createInterface } from 'node:readline';
import { systemClock } from '@warmvm/core/driver';
import { GUARDIAN_READY, type GuardianOrders } from './guardian.ts';
import { sweepThoroughly } from './sweep.ts';

async function main(): Promise<void> {
  const orders = JSON.parse(process.argv[2] ?? '{}') as GuardianOrders;
  const instances = new Set<string>();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'farewell') return;
    instances.add(line);
    process.stdout.write(`${GUARDIAN_READY}\n`);
  }
  if (instances.size > 0) await sweepThoroughly({ ...orders, clock: systemClock }, instances);
}

process.stdout.on('error', () => {});
await main();
process.exit(0);
