/** Draws a whole number, 0 to n-1. */
export type Draw = () => number

/** All equally likely. */
export const uniform =
  (n: number, random: () => number = Math.random): Draw =>
  () =>
    Math.floor(random() * n)

/**
 * By Zipf's law: rank k is drawn in proportion to 1 / (k + 1)^exponent; exact, in constant time and without a table. By rejection
 * and inversion: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
 * ACM Transactions on Modeling and Computer Simulation 6 (3), 1996, pages 169 to 184.
 */
export const zipf = (n: number, exponent: number, random: () => number = Math.random): Draw => {
  const e = 1 - exponent
  const weight = (x: number): number => x ** -exponent
  // The integral of the weight, and its inverse; at exponent 1 their limits.
  const area = (x: number): number => (e === 0 ? Math.log(x) : (x ** e - 1) / e)
  const place = (y: number): number => (e === 0 ? Math.exp(y) : (1 + y * e) ** (1 / e))
  const least = area(1.5) - 1
  const most = area(n + 0.5)
  // Closer than this to a whole number the point is under the weights in any case.
  const squeeze = 2 - place(area(2.5) - weight(2))
  return () => {
    for (;;) {
      const y = most + random() * (least - most)
      const x = place(y)
      const rank = Math.min(Math.max(Math.round(x), 1), n)
      if (rank - x <= squeeze || y >= area(rank + 0.5) - weight(rank)) return rank - 1
    }
  }
}
