import type { Figure } from '../result/figure.ts';

/** A figure with its name. */
export interface NamedFigure extends Figure {
  readonly name: string;
}

/** Figures that belong into one picture: same unit, same group. */
export interface FigureGroup {
  /** Empty for those that stand alone; they share one picture for each unit. */
  readonly title: string;
  readonly figures: readonly NamedFigure[];
}

/** The figures of a suite, picture by picture, in the order in which they were first taken. */
export function figureGroups(figures: Readonly<Record<string, Figure>>): readonly FigureGroup[] {
  const named = Object.entries(figures).map(([name, figure]) => ({ ...figure, name }));
  const groups = Map.groupBy(named, ({ group, unit }) => JSON.stringify([group, unit]));
  return [...groups.values()].map((members) => ({ title: members[0]?.group ?? '', figures: members }));
}

/** `lend: tarn` in the group `lend` is just `tarn`. */
export function nameInGroup({ name, group }: NamedFigure): string {
  const start = `${group}: `;
  return group !== null && name.startsWith(start) && name.length > start.length ? name.slice(start.length) : name;
}
