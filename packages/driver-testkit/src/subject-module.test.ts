import { describe, expect, test } from 'vitest';
import { fakeSubject } from './fixtures/fake-subject.ts';
import { type OpenSubject, openSubjects, type SubjectRequest } from './index.ts';

/** A subject that notes in the list that it was closed. */
function closing(list: string[], name: string): OpenSubject {
  return { ...fakeSubject(), name, [Symbol.asyncDispose]: async () => void list.push(name) };
}

describe('a module with a subject', () => {
  test('may export the subject itself', async () => {
    const kitSubject = fakeSubject();
    await using opened = await openSubjects({ kitSubject });
    expect(opened.subjects).toEqual([kitSubject]);
  });

  test('may export a function, called once a lane with what people gave; all are closed, last first', async () => {
    const closed: string[] = [];
    const said: string[] = [];
    let count = 0;
    const kitSubject = ({ options, timeFactor, say }: SubjectRequest): OpenSubject => {
      count += 1;
      say(`${JSON.stringify(options)} ${timeFactor}`);
      return closing(closed, `subject ${count}`);
    };
    const options = { reset: 'revert' };
    const opened = await openSubjects(
      { kitSubject },
      { lanes: 2, options, timeFactor: 3, say: (text) => said.push(text) },
    );
    expect(opened.subjects.map(({ name }) => name)).toEqual(['subject 1', 'subject 2']);
    expect(said).toEqual(['{"reset":"revert"} 3', '{"reset":"revert"} 3']);
    await opened[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
    expect(closed).toEqual(['subject 2', 'subject 1']);
  });

  test('closes those that are open when the next one fails', async () => {
    const closed: string[] = [];
    const names = ['first', ''];
    const kitSubject = (): OpenSubject => closing(closed, names.shift() ?? 'none');
    await expect(openSubjects({ kitSubject }, { lanes: 2 })).rejects.toThrow('subject.name must be a text');
    expect(closed).toEqual(['', 'first']);
  });

  test.each([
    [undefined, {}, TypeError, /must export kitSubject/],
    [{}, {}, TypeError, /must export kitSubject/],
    [{ kitSubject: 1 }, {}, TypeError, /must export kitSubject/],
    [{ kitSubject: fakeSubject() }, { lanes: 2 }, TypeError, /must be a function to run several/],
    [{ kitSubject: fakeSubject() }, { options: { a: 1 } }, TypeError, /must be a function to be given options/],
    [{ kitSubject: fakeSubject() }, { lanes: 0 }, RangeError, /lanes must be a whole number from 1, got 0/],
  ])('%j with %j is refused', async (module, options, type, message) => {
    const opening = openSubjects(module, options);
    await expect(opening).rejects.toThrow(type);
    await expect(opening).rejects.toThrow(message);
  });
});
