import { describe, expect, test } from 'vitest';
import { DisposeStack } from './dispose-stack.ts';

describe('DisposeStack', () => {
  const thing = (name: string, log: string[], error?: Error) => ({
    async [Symbol.asyncDispose]() {
      log.push(name);
      if (error !== undefined) throw error;
    },
  });

  test('disposes in the reverse order, each thing once', async () => {
    const log: string[] = [];
    const stack = new DisposeStack();
    for (const name of ['daemon', 'driver', 'pool']) stack.use(thing(name, log));
    await stack[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
    expect(log).toEqual(['pool', 'driver', 'daemon']);
  });

  test('goes on after a failure, and throws the first', async () => {
    const log: string[] = [];
    const stack = new DisposeStack();
    stack.use(thing('daemon', log, new Error('second')));
    stack.use(thing('driver', log, new Error('first')));
    await expect(stack[Symbol.asyncDispose]()).rejects.toThrow('first');
    expect(log).toEqual(['driver', 'daemon']);
  });
});
