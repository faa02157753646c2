/** What OpenSSL's words mean for somebody who has a kubeconfig in hand, by the code of the error. */
const meanings: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by certificate-authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by certificate-authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is not signed by certificate-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by certificate-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by certificate-authority',
}

/** Says in terms of a kubeconfig why the API server's certificate is not taken; '' for any other code. */
export function tlsProblem(code: string): string {
  const meaning = meanings[code]
  return meaning === undefined ? '' : `${meaning} (${code})`
}
