/** Where the demo is served. */
export interface DemoPlaces {
  readonly httpPort: number
  readonly httpsPort: number
  readonly adminPort: number
  /** The folder of manifests, which is watched. */
  readonly folder: string
}

/** One feature: what it shows and the command that shows it. */
export interface Stop {
  readonly shows: string
  readonly command: string
}

/** The features of the demo, in the order in which they are printed. */
export function tour({ httpPort, httpsPort, adminPort }: DemoPlaces): Stop[] {
  const shop = `http://shop.localhost:${httpPort}`
  const account = `https://account.localhost:${httpsPort}`
  const admin = `http://127.0.0.1:${adminPort}`
  const upgrade = '-H "Connection: Upgrade" -H "Upgrade: websocket"'
  const webSocket =
    '-H "Sec-WebSocket-Version: 13" -H "Sec-WebSocket-Key: aGVhZGdhdGUgZGVtbyBrZXk="'
  return [
    { shows: 'two servers take turns (round robin)', command: `curl ${shop}/` },
    { shows: 'fewest requests in flight', command: `curl ${shop}/catalogue` },
    { shows: 'weights: advice-1 three times out of four', command: `curl ${shop}/advice` },
    {
      shows: 'the same words reach the same server (consistent hash)',
      command: `curl "${shop}/search?words=tea"`,
    },
    { shows: 'a client stays with its server (ClientIP)', command: `curl ${shop}/cart` },
    {
      shows: 'a body above proxy-body-size is refused: 413',
      command: `head -c 2000 /dev/zero | curl --data-binary @- ${shop}/cart`,
    },
    {
      shows: 'plain HTTP is redirected where the host has TLS: 308',
      command: `curl -i http://account.localhost:${httpPort}/`,
    },
    { shows: 'TLS with the certificate of a Secret', command: `curl -k ${account}/` },
    {
      shows: 'a WebSocket through the proxy (or open the URL in a browser)',
      command: `curl -i -N -m 1 ${upgrade} ${webSocket} http://chat.localhost:${httpPort}/`,
    },
    {
      shows: 'no rule for this host: 404',
      command: `curl -i http://nobody.localhost:${httpPort}/`,
    },
    { shows: 'what is served, and whether it is ready', command: `curl ${admin}/api/status` },
    { shows: 'metrics for Prometheus', command: `curl -s ${admin}/metrics` },
    {
      shows: 'why a request goes where it goes',
      command: `curl "${admin}/api/explain?url=${shop}/search?words=tea"`,
    },
  ]
}

/** What the demo prints when it serves. `moved`: a line for each port that was taken. */
export function tourText(places: DemoPlaces, moved: readonly string[]): string {
  const stops = tour(places).map(({ shows, command }) => `  # ${shows}\n  ${command}\n`)
  return `
Headgate serves a small shop, with servers of its own behind it.
${moved.map((line) => `${line}\n`).join('')}
  http://shop.localhost:${places.httpPort}/
  https://account.localhost:${places.httpsPort}/
  http://chat.localhost:${places.httpPort}/
  http://127.0.0.1:${places.adminPort}/api/status

Try:

${stops.join('\n')}
The manifests are in ${places.folder}
Change one there: it is in force within 200 ms, and no request fails.
Ctrl-C stops everything. Below is the log: one line for each request.

`
}
