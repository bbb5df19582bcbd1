/** What went wrong with one method of an enforcement; the message is shown to whoever logs in. */
export class FactorFault extends Error {
  override readonly name = 'FactorFault'
}

/** What is said of passcodes that are missing, wrong, or used up: nobody learns which. */
export const notCorrect = (): FactorFault =>
  new FactorFault('MFA credentials not supplied or incorrect')

const KEY = 'passcode='

/**
 * The passcode among what was sent for a method (`123456` or `passcode=123456`), without blanks around it; '' for none. Throws a
 * FactorFault for several: each guess is sent by itself.
 */
export const passcodeOf = (sent: readonly string[]): string => {
  const passcodes = sent
    .map((text) => (text.startsWith(KEY) ? text.slice(KEY.length) : text).trim())
    .filter((text) => text !== '')
  if (passcodes.length > 1)
    throw new FactorFault('found multiple passcodes for the same MFA method')
  return passcodes[0] ?? ''
}
