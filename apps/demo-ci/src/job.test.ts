import { describe, expect, test } from 'vitest';
import { commandOf, JobsError, parseJobs } from './job.ts';

const good = { name: 'test', steps: ['true'] };

describe('parseJobs', () => {
  test('fills in what is left out', () => {
    expect(parseJobs(JSON.stringify([good]), 'jobs.json')).toEqual([
      { ...good, files: {}, environment: {}, artifacts: {}, timeoutMs: 600_000 },
    ]);
  });

  test.each([
    ['no JSON', '[', 'jobs.json is no JSON'],
    ['no job', '[]', 'jobs.json is no list of jobs'],
    ['a job without steps', [{ ...good, steps: [] }], '[0].steps'],
    ['a name that is a path', [{ ...good, name: '../x' }], '[0].name'],
    ['two of one name', [good, good], 'two jobs have the same name'],
    ['an artifact outside of its folder', [{ ...good, artifacts: { 'a/../../b': '/x' } }], 'relative path without ..'],
    ['an artifact that is the folder', [{ ...good, artifacts: { 'a/..': '/x' } }], 'relative path without ..'],
    ['a file from anywhere', [{ ...good, files: { '/etc/shadow': '/x' } }], 'relative path without ..'],
    ['a relative path in the guest', [{ ...good, files: { a: 'b' } }], 'absolute path in the guest'],
    ['a key that nobody knows', [{ ...good, stpes: [] }], 'stpes'],
  ])('refuses %s, and says where', (_what, value, message) => {
    const content = typeof value === 'string' ? value : JSON.stringify(value);
    expect(() => parseJobs(content, 'jobs.json')).toThrow(JobsError);
    expect(() => parseJobs(content, 'jobs.json')).toThrow(message);
  });
});

describe('a step', () => {
  test('is for the shell when it is text, and for no shell when it is words', () => {
    expect(commandOf('echo $HOME')).toEqual(['sh', '-ec', 'echo $HOME']);
    expect(commandOf(['echo', '$HOME'])).toEqual(['echo', '$HOME']);
  });
});
