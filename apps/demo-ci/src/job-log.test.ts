import { describe, expect, test } from 'vitest';
import { JobLog } from './job-log.ts';

function open(): { log: JobLog; written: string[] } {
  const written: string[] = [];
  const log = new JobLog('unit', async (text) => {
    written.push(text);
  });
  return { log, written };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('the log of a job', () => {
  test('has whole lines, whatever pieces they come in, each stream by itself', async () => {
    const { log, written } = open();
    await log.output(bytes('one\ntw'), 'stdout');
    await log.output(bytes('oh\n'), 'stderr');
    await log.output(bytes('o\n'), 'stdout');
    expect(written).toEqual(['[unit] one\n', '[unit] oh\n', '[unit] two\n']);
  });

  test('takes a character that comes in two pieces for one', async () => {
    const { log, written } = open();
    const [first, second, ...rest] = bytes('é\n');
    await log.output(Uint8Array.of(first!), 'stdout');
    await log.output(Uint8Array.of(second!, ...rest), 'stdout');
    expect(written).toEqual(['[unit] é\n']);
  });

  test('tells what was begun and not ended, at the end', async () => {
    const { log, written } = open();
    await log.output(bytes('no newline'), 'stdout');
    expect(written).toEqual([]);
    await log.flush();
    await log.flush();
    expect(written).toEqual(['[unit] no newline\n']);
  });

  test('holds back no more than a long line, and keeps the last lines alone', async () => {
    const { log, written } = open();
    await log.output(bytes('x'.repeat(5000)), 'stdout');
    expect(written).toHaveLength(1);
    await log.output(bytes(Array.from({ length: 50 }, (_, index) => `${index}\n`).join('')), 'stdout');
    expect(log.tail).toHaveLength(20);
    expect(log.tail.at(-1)).toBe('49');
  });
});
