import { describe, expect, test } from 'vitest';
import { type Abandonable, CallScope } from './call-scope.ts';

class Call implements Abandonable {
  previousInScope: Abandonable | undefined = undefined;
  nextInScope: Abandonable | undefined = undefined;
  readonly name: string;
  readonly #scope: CallScope;
  readonly #told: string[];

  constructor(name: string, scope: CallScope, told: string[]) {
    this.name = name;
    this.#scope = scope;
    this.#told = told;
    scope.enter(this);
  }

  abandon(reason: unknown): void {
    this.#scope.leave(this);
    this.#told.push(`${this.name} ${reason}`);
  }
}

function setUp(...names: string[]): { scope: CallScope; told: string[]; calls: Call[] } {
  const scope = new CallScope();
  const told: string[] = [];
  return { scope, told, calls: names.map((name) => new Call(name, scope, told)) };
}

describe('CallScope', () => {
  test('gives up every call that is under way, oldest first, with its reason', () => {
    const { scope, told } = setUp('a', 'b', 'c');
    scope.end('over');
    expect(told).toEqual(['a over', 'b over', 'c over']);
    expect(scope.ended).toEqual({ reason: 'over' });
  });

  test.each(['a', 'b', 'c'])('leaves %s alone when it has left, wherever it stood', (name) => {
    const { scope, told, calls } = setUp('a', 'b', 'c');
    const left = calls.find((call) => call.name === name)!;
    scope.leave(left);
    scope.leave(left);
    scope.end('over');
    expect(told).toEqual(['a over', 'b over', 'c over'].filter((line) => !line.startsWith(name)));
  });

  test('keeps nothing of calls that have left', () => {
    const { scope, told, calls } = setUp('a', 'b');
    for (const call of calls) scope.leave(call);
    expect(calls.map((call) => call.nextInScope ?? call.previousInScope)).toEqual([undefined, undefined]);
    scope.end('over');
    expect(told).toEqual([]);
  });
});
