/** Mistakes in writing one word of this many letters; more is another word. */
const LETTERS_FOR_A_MISTAKE = 3;
/** Shortest beginning of a name that is taken for the name. */
const SHORTEST_BEGINNING = 3;
/** Longest word that is compared. */
const LONGEST_WORD = 100;

/** Which of the names somebody probably meant by this word: for "did you mean ...?". Undefined where none is near. */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const meant = word.toLowerCase();
  let nearest: string | undefined;
  let leastMistakes = Math.max(1, Math.floor(word.length / LETTERS_FOR_A_MISTAKE)) + 1;
  for (const name of names) {
    const mistakes = mistakesBetween(meant, name.toLowerCase());
    if (mistakes >= leastMistakes) continue;
    leastMistakes = mistakes;
    nearest = name;
  }
  if (nearest !== undefined || word.length < SHORTEST_BEGINNING) return nearest;
  return names.find((name) => name.toLowerCase().startsWith(meant));
}

/** Letters left out, put in, replaced, or swapped with the next. */
function mistakesBetween(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const present = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      present[column] = Math.min(
        (last[column] as number) + 1,
        (present[column - 1] as number) + 1,
        (last[column - 1] as number) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[column - 2] as number) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = present;
  }
  return last[other.length] as number;
}
