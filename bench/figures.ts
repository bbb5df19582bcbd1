/** The middle one of some figures. */
export const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

/** Writes a line of a benchmark's report. */
export const print = (line: string): void => void process.stdout.write(`${line}\n`)
