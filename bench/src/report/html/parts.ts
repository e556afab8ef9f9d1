import type { ComponentChild, VNode } from 'preact';
import type { Wording } from '../outcome-words.ts';
import { h } from './element.ts';

/** A cell that holds nothing; narrow pages leave it out. */
export const NOTHING = '–';

/** A column of a table: its cells get the class, and on a narrow page the name stands before the value. */
export interface Column {
  readonly name: ComponentChild;
  readonly class: string;
  /** Said on narrow pages before the value. @default nothing */
  readonly short?: string;
}

/** Rows of cells; the first cell heads its row. Roles are said aloud, since a narrow page lays tables out as blocks. */
export function table(
  facts: { readonly class: string; readonly caption: ComponentChild; readonly columns: readonly Column[] },
  rows: readonly (readonly ComponentChild[])[],
  rowClass: (index: number) => string = () => '',
): VNode {
  const { columns } = facts;
  const head = columns.map((column) =>
    h('th', { class: column.class, scope: 'col', role: 'columnheader' }, column.name),
  );
  const body = rows.map((cells, index) =>
    h('tr', { role: 'row', class: rowClass(index) }, ...cells.map((cell, at) => cellOf(cell, columns[at]!, at === 0))),
  );
  return h(
    'table',
    { class: facts.class, role: 'table' },
    h('caption', null, facts.caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ...head)),
    h('tbody', { role: 'rowgroup' }, ...body),
  );
}

function cellOf(content: ComponentChild, column: Column, heads: boolean): VNode {
  if (heads) return h('th', { class: column.class, scope: 'row', role: 'rowheader' }, content);
  const name = content === NOTHING ? `${column.class} nothing` : column.class;
  return h('td', { class: name, role: 'cell', 'data-name': column.short }, content);
}

/** An outcome or a call: mark, word, and colour last. */
export function badge({ mark, word, tone }: Wording): VNode {
  return h('span', { class: `badge ${tone}` }, h('span', { class: 'mark', 'aria-hidden': 'true' }, mark), word);
}

/** A section that the contents at the top lead to. */
export function section(id: string, title: string, ...children: ComponentChild[]): VNode {
  return h('section', { id, 'aria-labelledby': `${id}-title` }, h('h2', { id: `${id}-title` }, title), ...children);
}

/** Names and values. */
export function factList(facts: readonly (readonly [name: string, value: ComponentChild])[]): VNode {
  return h('dl', { class: 'facts' }, ...facts.flatMap(([name, value]) => [h('dt', null, name), h('dd', null, value)]));
}
