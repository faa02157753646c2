const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const labelOnly = new RegExp(`^${label}$`)
const subdomainOnly = new RegExp(`^${label}(?:\\.${label})*$`)
const qualifiedName = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const portName = /^(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/

/** The shapes of names that the API server knows (k8s.io/apimachinery/pkg/util/validation). */

/** RFC 1123 label: namespaces, Services, names of ports. */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && labelOnly.test(text)
}

/** RFC 1123 subdomain: names of most objects. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && subdomainOnly.test(text)
}

/** Name of a port in a Pod (RFC 6335 5.1): at most 15 characters, a letter among them. */
export function isPortName(text: string): boolean {
  return text.length <= 15 && portName.test(text)
}

/** Key of a label or an annotation: a name of at most 63 characters, with or without `prefix/`. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/')
  const name = text.slice(slash + 1)
  const prefixed = slash < 0 || isDnsSubdomain(text.slice(0, slash).toLowerCase())
  return prefixed && name.length <= 63 && qualifiedName.test(name)
}

/** Value of a label. */
export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && qualifiedName.test(text))
}

/** Key in the data of a Secret or ConfigMap. */
export function isDataKey(text: string): boolean {
  return text.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(text) && text !== '.' && text !== '..'
}
