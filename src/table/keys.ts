/**
 * Identity of things in a table: a tuple written as a JSON array, so that no two tuples make the
 * same text whatever their parts hold. Never taken apart again by code.
 */
export type Key = string

/** The key of a tuple, e.g. tupleKey('service', cluster, namespace, name, port). */
export function tupleKey(...parts: readonly (string | number)[]): Key {
  return JSON.stringify(parts)
}

/** Name of the only cluster while there is one. */
export const localCluster = 'local'

/** The key of a host pattern ('' for every other host) in a group that listeners share. */
export function hostKey(hostGroup: string, pattern: string): Key {
  return tupleKey('host', hostGroup, pattern)
}
