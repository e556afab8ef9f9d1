import { expect, test, vi } from 'vitest';
import { childEnvironment } from './child-environment.ts';

test('a child inherits all but what is meant for this Node', () => {
  vi.stubEnv('NODE_OPTIONS', '--require ./tracing.cjs');
  vi.stubEnv('NODE_V8_COVERAGE', 'coverage');
  vi.stubEnv('SSH_AUTH_SOCK', '/run/agent');
  const { NODE_OPTIONS, NODE_V8_COVERAGE, SSH_AUTH_SOCK, PATH } = childEnvironment();
  expect({ NODE_OPTIONS, NODE_V8_COVERAGE, SSH_AUTH_SOCK, PATH }).toEqual({
    NODE_OPTIONS: undefined,
    NODE_V8_COVERAGE: undefined,
    SSH_AUTH_SOCK: '/run/agent',
    PATH: process.env.PATH,
  });
  vi.unstubAllEnvs();
});
