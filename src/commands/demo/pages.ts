/** The front page of the shop, for browsers. `name`: the server that answers. */
export function shopPage(name: string): string {
  return page(
    'Headgate demo shop',
    `<p>This page came from <b>${name}</b>. Reload it: the servers take turns.</p>
<ul>
<li><a href="/catalogue">/catalogue</a> goes to the server with the fewest requests in flight
<li><a href="/advice">/advice</a> goes to advice-1 three times out of four
<li><a href="/search?words=tea">/search?words=tea</a> and
<a href="/search?words=coffee">coffee</a>: the same words reach the same server
<li><a href="/cart">/cart</a> stays with one server for each client
</ul>`,
  )
}

/** A page that talks to the WebSocket echo at its own host. */
export function chatPage(name: string): string {
  return page(
    'Headgate demo chat',
    `<p>This page came from <b>${name}</b>. What you send comes back over a WebSocket.</p>
<form><input autofocus autocomplete="off"> <button>Send</button></form>
<pre></pre>
<script>
const out = document.querySelector('pre'), input = document.querySelector('input')
const say = (text) => { out.textContent += text + '\\n' }
const socket = new WebSocket(location.href.replace(/^http/, 'ws'))
socket.onopen = () => say('(open)')
socket.onclose = () => say('(closed)')
socket.onmessage = ({ data }) => say(data)
document.querySelector('form').onsubmit = (event) => {
  event.preventDefault()
  socket.send(input.value)
  input.value = ''
}
</script>`,
  )
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto }</style>
<h1>${title}</h1>
${body}
</html>
`
}
