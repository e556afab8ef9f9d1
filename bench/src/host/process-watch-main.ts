// Kills the processes whose ids come in, one in a line, and says when: nothing of warmvm is in this process.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const PAUSE_MS = 0.1;
const LONGEST_MS = 10_000;
const pause = new Int32Array(new SharedArrayBuffer(4));

for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line);
  const start = process.hrtime.bigint();
  process.kill(pid, 'SIGKILL');
  const killed = process.hrtime.bigint();
  while (isAlive(pid) && Number(process.hrtime.bigint() - start) / 1e6 < LONGEST_MS)
    Atomics.wait(pause, 0, 0, PAUSE_MS);
  const gone = process.hrtime.bigint();
  process.stdout.write(`${JSON.stringify({ killedNs: String(killed), goneNs: String(gone) })}\n`);
}

/** A zombie has ended; its parent only has not asked. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat.charAt(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
