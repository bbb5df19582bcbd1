/** A body that came piece by piece did not come whole: the client stopped, or sent what is no body. */
export class BrokenBody extends Error {
  override readonly name = 'BrokenBody'
}
