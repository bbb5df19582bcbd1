/** The middle one of some figures. */
export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

/** A line of a table: the first cell to the left of its column, the others to the right of theirs. */
export const tableRow =
  (widths: readonly number[]) =>
  (...cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('')

/** Writes a line of a benchmark's report. */
export const print = (line: string): void => void process.stdout.write(`${line}\n`)
