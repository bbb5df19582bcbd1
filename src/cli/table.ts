/**
 * Rows as columns with four spaces between them; an empty cell shows `n/a`. The first row is the
 * header, under which each word gets its row of dashes. Without a final newline.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const [header, ...rest] = rows
  if (header === undefined) return ''
  return columns([header, header.map((cell) => '-'.repeat(widthOf(cell))), ...rest])
}

/** Rows as columns, without a header. */
export function columns(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (cell === '' ? 'n/a' : cell)))
  const widths: number[] = []
  for (const row of cells) {
    for (const [at, cell] of row.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, widthOf(cell))
    }
  }
  return cells
    .map((row) =>
      row
        .map((cell, at) => {
          const padding = (widths[at] ?? 0) - widthOf(cell)
          return at === row.length - 1 ? cell : cell + ' '.repeat(padding + 4)
        })
        .join(''),
    )
    .join('\n')
}

// Code points, as the reference pads.
function widthOf(text: string): number {
  let width = 0
  for (const _ of text) width += 1
  return width
}
