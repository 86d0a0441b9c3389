import type { InboxMessage } from './messages.ts';

const SHOWN = 200;

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1c2430; }
  header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; }
  article { border: 1px solid #d5dbe3; border-radius: 6px; padding: .6rem 1rem; margin: .8rem 0; }
  h2 { font-size: 1rem; margin: 0; }
  p { margin: 0; color: #5a6675; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0 0; }
  input, button { font: inherit; padding: .2rem .5rem; }`;

/** The inbox as a page of its own: no script, nothing from outside, everything escaped. */
export function renderPage(messages: readonly InboxMessage[], to: string | null): string {
  const shown = messages.slice(0, SHOWN).map(renderMessage).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>Inbox</title>
<style>${STYLE}
</style>
</head>
<body>
<header>
<h1>Inbox</h1>
<form><label>Recipient <input name="to" value="${escapeHtml(to ?? '')}"></label> <button>Show</button></form>
<p>${messages.length} ${messages.length === 1 ? 'message' : 'messages'}, newest first</p>
</header>
<main>
${shown === '' ? '<p>Nothing has arrived.</p>' : shown}
</main>
</body>
</html>
`;
}

function renderMessage(message: InboxMessage): string {
  const { id, kind, to, from, subject, text, receivedAt } = message;
  const title = subject === null ? 'Text message' : escapeHtml(subject);
  const sender = from === null ? '' : ` from ${escapeHtml(from)}`;
  return `<article id="m${id}">
<h2>${title}</h2>
<p>${kind} to ${escapeHtml(to)}${sender}, <time datetime="${receivedAt}">${receivedAt}</time></p>
<pre>${escapeHtml(text)}</pre>
</article>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
