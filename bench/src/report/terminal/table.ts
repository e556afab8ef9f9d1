import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { TerminalStyle } from './style.ts';

const SIDES = ['top', 'bottom', 'mid', 'left', 'right'];
const PARTS = ['', '-mid', '-left', '-right'];
/** Room between columns instead of lines. */
const ROOM = '  ';
const CHARACTERS = {
  ...Object.fromEntries(SIDES.flatMap((side) => PARTS.map((part) => [`${side}${part}`, '']))),
  left: ROOM,
  middle: ROOM,
};

/** A column of a table. */
export interface Column {
  readonly name: string;
  /** @default left */
  readonly align?: 'left' | 'right';
  /** Left out where the terminal is too narrow; the highest first. @default never */
  readonly dispensable?: number;
}

/** A table no wider than the terminal, as far as leaving columns out can make it so. */
export function tableText(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: TerminalStyle,
): string {
  const kept = fitting(columns, rows, style.columns);
  const table = new Table({
    head: kept.map((index) => style.faint(columns[index]!.name)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colAligns: kept.map((index) => columns[index]!.align ?? 'left'),
    chars: CHARACTERS,
  });
  for (const row of rows) table.push(kept.map((index) => row[index]!));
  return table.toString();
}

/** Positions of the columns that have room. */
function fitting(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): readonly number[] {
  const widths = columns.map(({ name }, index) =>
    Math.max(name.length, ...rows.map((row) => stripVTControlCharacters(row[index]!).length)),
  );
  const dispensable = columns
    .map(({ dispensable: rank }, index) => ({ rank: rank ?? 0, index }))
    .filter(({ rank }) => rank > 0)
    .toSorted((left, right) => left.rank - right.rank);
  let kept = columns.map((_, index) => index);
  const total = (): number => kept.reduce((sum, index) => sum + ROOM.length + widths[index]!, 0);
  while (total() > width && dispensable.length > 0) {
    const { index: gone } = dispensable.pop()!;
    kept = kept.filter((index) => index !== gone);
  }
  return kept;
}
