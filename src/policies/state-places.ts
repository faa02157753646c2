/**
 * Places in `PolicyExchange.state`: whatever a policy keeps of an exchange has one of its own here, so
 * that no two policies of a rule write to the same.
 */
export const statePlaces = {
  /** Cookies of the authentication service, for the answer. */
  authCookies: 0,
  /** What the snippets of the request have come to. */
  snippets: 1,
  /** The copy for a mirror while its body comes. */
  mirrorCopy: 2,
  /** The span of the request, where it is recorded. */
  span: 3,
} as const
